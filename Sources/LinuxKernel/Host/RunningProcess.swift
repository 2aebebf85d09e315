import Glibc

/// A process, as far as /proc shows it. Source: proc(5).
public struct RunningProcess: Hashable, Sendable {
    public var id: Int32
    /// The command name, truncated to 15 bytes.
    public var name: String
    /// The executable and its arguments; empty if they are hidden.
    public var arguments: [String]

    /// Creates a process entry from the fields of proc(5).
    public init(id: Int32, name: String, arguments: [String]) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// Returns the processes with these names, ordered by id, except those known to be in another network namespace.
    ///
    /// - Parameter folder: the folder in which the kernel, or a test, shows processes.
    public static func running(named names: Set<String>, in folder: String = "/proc") -> [RunningProcess] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        let current = namespace("\(folder)/self")
        var found: [RunningProcess] = []
        while let entry = readdir(directory) {
            let text = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let id = Int32(text), let name = TextFile.contents("\(folder)/\(id)/comm"), names.contains(name)
            else { continue }
            let other = namespace("\(folder)/\(id)")
            if let current, let other, current != other { continue }
            let arguments = (TextFile.bytes("\(folder)/\(id)/cmdline") ?? []).split(separator: 0)
            found.append(
                RunningProcess(id: id, name: name, arguments: arguments.map { String(decoding: $0, as: UTF8.self) }))
        }
        return found.sorted { $0.id < $1.id }
    }

    /// Returns the network namespace's identifier; `nil` without permission to read it.
    private static func namespace(_ process: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 64)
        let length = readlink("\(process)/ns/net", &bytes, bytes.count)
        guard length > 0 else { return nil }
        return String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
