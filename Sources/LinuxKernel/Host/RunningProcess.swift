import Glibc

/// A process, as far as /proc shows it to us. Source: proc(5).
public struct RunningProcess: Hashable, Sendable {
    public var id: Int32
    /// The program's name, cut after 15 bytes.
    public var name: String
    /// The program and its arguments; empty where they are hidden.
    public var arguments: [String]

    /// A process as proc(5) would tell of it.
    public init(id: Int32, name: String, arguments: [String]) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// The processes of these names, by their ids; those that are known to be in another network namespace are left out.
    ///
    /// - Parameter folder: where the kernel, or a test, shows processes.
    public static func running(named names: Set<String>, in folder: String = "/proc") -> [RunningProcess] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        let own = namespace("\(folder)/self")
        var found: [RunningProcess] = []
        while let entry = readdir(directory) {
            let text = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let id = Int32(text), let name = TextFile.contents("\(folder)/\(id)/comm"), names.contains(name)
            else { continue }
            let itsNamespace = namespace("\(folder)/\(id)")
            if let own, let itsNamespace, own != itsNamespace { continue }
            let arguments = (TextFile.bytes("\(folder)/\(id)/cmdline") ?? []).split(separator: 0)
            found.append(
                RunningProcess(id: id, name: name, arguments: arguments.map { String(decoding: $0, as: UTF8.self) }))
        }
        return found.sorted { $0.id < $1.id }
    }

    /// The network namespace's name; `nil` where we may not know it.
    private static func namespace(_ process: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 64)
        let length = readlink("\(process)/ns/net", &bytes, bytes.count)
        guard length > 0 else { return nil }
        return String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
