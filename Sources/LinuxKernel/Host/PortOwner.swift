import Glibc

extension RunningProcess {
    /// Returns the first process that has bound a UDP port, in this network namespace and as far as /proc shows it; nil
    /// if none is seen. Source: /proc/net/udp in proc_pid_net(5).
    ///
    /// - Parameter folder: the folder in which the kernel, or a test, shows processes.
    public static func owner(ofUDPPort port: UInt16, in folder: String = "/proc") -> RunningProcess? {
        let sockets = Set(["udp", "udp6"].flatMap { inodes("\(folder)/net/\($0)", port: port) })
        guard !sockets.isEmpty, let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            guard let id = Int32(name(of: entry)), holds(sockets, "\(folder)/\(id)/fd"),
                let name = TextFile.contents("\(folder)/\(id)/comm")
            else { continue }
            let arguments = (TextFile.bytes("\(folder)/\(id)/cmdline") ?? []).split(separator: 0)
            return RunningProcess(
                id: id, name: name, arguments: arguments.map { String(decoding: $0, as: UTF8.self) })
        }
        return nil
    }

    /// The inodes of the sockets that a table of the kernel lists under a local port.
    private static func inodes(_ table: String, port: UInt16) -> [String] {
        let digits = String(port, radix: 16, uppercase: true)
        let end = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        let lines = String(decoding: TextFile.bytes(table, limit: 1 << 20) ?? [], as: UTF8.self).split(separator: "\n")
            .dropFirst()
        return lines.compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[1].hasSuffix(end) ? "socket:[\(fields[9])]" : nil
        }
    }

    /// Returns whether a process has one of these sockets open.
    private static func holds(_ sockets: Set<String>, _ folder: String) -> Bool {
        guard let directory = opendir(folder) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            var target = [CChar](repeating: 0, count: 64)
            let length = readlink("\(folder)/\(name(of: entry))", &target, target.count)
            guard length > 0 else { continue }
            let text = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if sockets.contains(text) { return true }
        }
        return false
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
