import Foundation
import Glibc
import LinuxKernel
import Synchronization
import Testing

/// A network namespace with connection tracking, removed with the object.
///
/// Its loopback interface has 192.0.2.1, 192.0.2.2, 2001:db8::1 and 2001:db8::2. Packets to 198.51.100.9 and
/// 2001:db8:9::9 are translated to the addresses that end in 2; UDP packets to port 6001 are in zone 5. Packets to
/// closed ports get no answer.
final class LiveNamespace {
    static let isPossible = geteuid() == 0
    static let comment: Comment = "needs root to create network namespaces"

    private static let count = Atomic<Int>(0)
    let name = "ct\(getpid())-\(count.wrappingAdd(1, ordering: .relaxed).newValue)"

    /// - Parameter settings: settings below net.netfilter, such as "nf_conntrack_acct=1".
    init(settings: [String] = []) throws {
        try Self.shell("ip netns add \(name)")
        do {
            try shell(
                """
                ip link set lo up
                ip addr add 192.0.2.1/32 dev lo && ip addr add 192.0.2.2/32 dev lo
                ip addr add 2001:db8::1/128 dev lo nodad && ip addr add 2001:db8::2/128 dev lo nodad
                ip route add 198.51.100.0/24 dev lo && ip -6 route add 2001:db8:9::/64 dev lo
                for setting in \(settings.joined(separator: " ")); do sysctl -qw net.netfilter.$setting; done
                nft -f - <<'END'
                table inet t {
                    chain nat {
                        type nat hook output priority -100;
                        ip daddr 198.51.100.9 dnat ip to 192.0.2.2
                        ip6 daddr 2001:db8:9::9 dnat ip6 to 2001:db8::2
                    }
                    chain zones {
                        type filter hook output priority -300;
                        udp dport 6001 ct zone set 5
                    }
                    chain quiet {
                        type filter hook output priority 0;
                        icmp type destination-unreachable drop
                        icmpv6 type destination-unreachable drop
                    }
                }
                END
                """)
        } catch {
            _ = try? Self.shell("ip netns del \(name)")
            throw error
        }
    }

    deinit { _ = try? Self.shell("ip netns del \(name)") }

    struct Failed: Error { let output: String }

    /// Runs a script in the namespace and returns its output.
    @discardableResult
    func shell(_ script: String) throws -> String {
        try Self.run(["ip", "netns", "exec", name, "sh", "-ec", script])
    }

    @discardableResult
    static func shell(_ script: String) throws -> String { try run(["sh", "-ec", script]) }

    private static func run(_ program: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        // conntrack prints the number of flows to standard error.
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(output: "\(program): \(text)") }
        return text
    }

    /// Opens an IPv4 UDP socket in the namespace.
    func socket(port: UInt16 = 0) throws -> Sender {
        let descriptor = try NetworkNamespace.enter(name) { () throws(SystemError) in
            try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        }
        return try Sender(descriptor, port: port)
    }

    /// A UDP socket. Its source address is 192.0.2.1, or 127.0.0.1 for destinations in 127.0.0.0/8.
    struct Sender: ~Copyable {
        private let descriptor: Descriptor
        let port: UInt16

        fileprivate init(_ descriptor: consuming Descriptor, port: UInt16) throws {
            self.descriptor = descriptor
            var address = Self.address(0, port)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let number = self.descriptor.rawValue
            let result = withUnsafeMutableBytes(of: &address) { bytes in
                let base = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                return bind(number, base, length) | getsockname(number, base, &length)
            }
            guard result == 0 else { throw Failed(output: "bind: \(errno)") }
            self.port = UInt16(bigEndian: address.sin_port)
        }

        private static func address(_ host: UInt32, _ port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = host.bigEndian
            address.sin_port = port.bigEndian
            return address
        }

        /// Sends one byte.
        ///
        /// - Returns: `true` if it was sent.
        @discardableResult
        func send(to host: UInt32, _ port: UInt16) -> Bool {
            let address = Self.address(host, port)
            return withUnsafeBytes(of: address) { bytes in
                sendto(
                    descriptor.rawValue, "x", 1, 0, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(bytes.count)) == 1
            }
        }
    }
}
