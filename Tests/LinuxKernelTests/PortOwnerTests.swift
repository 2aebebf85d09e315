import Foundation
import Glibc
import Testing

@testable import LinuxKernel

@Suite struct PortOwnerTests {
    /// An ordinary UDP socket with a port that the kernel chose, and the inode by which /proc names it.
    private final class BoundSocket {
        let descriptor: Int32
        let port: UInt16
        let inode: String

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let number = descriptor
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, length) + getsockname(number, $0, &length)
                }
            }
            try #require(result == 0)
            port = UInt16(bigEndian: address.sin_port)
            inode = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
        }

        deinit { close(descriptor) }
    }

    /// Runs `body` with a folder that shows sockets and processes as /proc does.
    ///
    /// - Parameters:
    ///   - table: the lines of net/udp below its header.
    ///   - processes: their IDs, names, arguments, and what their descriptors refer to.
    private func withFolder(
        _ table: String, ipv6 table6: String = "",
        _ processes: [(id: String, name: String, arguments: [String], descriptors: [String])],
        _ body: (String) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("owners-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let net = folder.appendingPathComponent("net")
        try FileManager.default.createDirectory(at: net, withIntermediateDirectories: true)
        for (name, text) in [("udp", table), ("udp6", table6)] {
            let header =
                "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
            try Data((header + text).utf8).write(to: net.appendingPathComponent(name))
        }
        for process in processes {
            let place = folder.appendingPathComponent(process.id)
            let descriptors = place.appendingPathComponent("fd")
            try FileManager.default.createDirectory(at: descriptors, withIntermediateDirectories: true)
            try Data((process.name + "\n").utf8).write(to: place.appendingPathComponent("comm"))
            let arguments = process.arguments.map { $0 + "\0" }.joined()
            try Data(arguments.utf8).write(to: place.appendingPathComponent("cmdline"))
            for (number, target) in process.descriptors.enumerated() {
                try FileManager.default.createSymbolicLink(
                    atPath: descriptors.appendingPathComponent("\(number)").path, withDestinationPath: target)
            }
        }
        try body(folder.path)
    }

    /// A line of /proc/net/udp, as Linux 6.12 writes it.
    private func line(_ port: String, inode: Int, address: String = "00000000") -> String {
        " 1234: \(address):\(port) 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 \(inode) 2 "
            + "000000000d6cbe5a 0\n"
    }

    @Test func `the owner is the process with a descriptor of the socket that is bound to the port`() throws {
        let table = line("035F", inode: 1) + line("035E", inode: 4711) + line("8035", inode: 3)
        let processes: [(id: String, name: String, arguments: [String], descriptors: [String])] = [
            ("7", "chronyd", ["chronyd"], ["/dev/null", "socket:[1]", "socket:[47110]", "pipe:[4711]"]),
            ("9", "probe", ["/usr/bin/probe", "reflect", "-i", "eth0"], ["/dev/null", "socket:[5]", "socket:[4711]"]),
            ("net2", "other", [], ["socket:[4711]"]),
        ]
        try withFolder(table, processes) { folder in
            #expect(
                RunningProcess.owner(ofUDPPort: 862, in: folder)
                    == RunningProcess(id: 9, name: "probe", arguments: ["/usr/bin/probe", "reflect", "-i", "eth0"]))
            #expect(RunningProcess.owner(ofUDPPort: 863, in: folder)?.id == 7)
            #expect(RunningProcess.owner(ofUDPPort: 864, in: folder) == nil)
            // 0x8035 ends in "035", and 0x35E is not 0x5E.
            #expect(RunningProcess.owner(ofUDPPort: 0x5E, in: folder) == nil)
        }
    }

    @Test func `an IPv6 socket's owner is found, and one that no process shows is not`() throws {
        let table6 = line("035E", inode: 8, address: "00000000000000000000000000000000") + line("0001", inode: 9)
        try withFolder("", ipv6: table6, [("5", "probe", [], ["socket:[8]"])]) { folder in
            #expect(RunningProcess.owner(ofUDPPort: 862, in: folder)?.id == 5)
            #expect(RunningProcess.owner(ofUDPPort: 1, in: folder) == nil)
        }
        #expect(RunningProcess.owner(ofUDPPort: 862, in: "/nowhere") == nil)
    }

    @Test func `damaged tables and descriptors are skipped`() throws {
        let table = "\n 1: 2 3\n:035E\n" + line("035E", inode: 4) + "x 00000000:035E"
        try withFolder(table, [("5", "probe", [], ["", "socket:[", "socket:[4]"].filter { !$0.isEmpty })]) { folder in
            #expect(RunningProcess.owner(ofUDPPort: 862, in: folder)?.id == 5)
        }
    }

    @Test func `/proc shows this process as the owner of its socket`() throws {
        let socket = try BoundSocket()
        let owner = try #require(RunningProcess.owner(ofUDPPort: socket.port))
        #expect(owner.id == getpid())
        #expect(owner.arguments.first == CommandLine.arguments.first)
        try withFolder(
            line(String(format: "%04X", socket.port), inode: Int(socket.inode.filter(\.isNumber)) ?? 0),
            [("12", "x", [], [socket.inode])]
        ) { folder in
            #expect(RunningProcess.owner(ofUDPPort: socket.port, in: folder)?.id == 12)
        }
    }
}
