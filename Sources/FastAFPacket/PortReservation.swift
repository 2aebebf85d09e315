import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// A UDP port that is reserved for a packet socket. The kernel then sends no "port unreachable", no other process can
/// bind the port, and nothing is delivered twice, because a filter drops every datagram.
///
/// The host counts each dropped datagram as Udp InErrors. Source: udp(7), SO_ATTACH_FILTER in socket(7).
public struct PortReservation: ~Copyable, Sendable {
    private let socket: Descriptor
    public let port: UInt16

    /// Reserves a port on one interface.
    ///
    /// - Parameters:
    ///   - port: the port to reserve.
    ///   - isIPv4: true for IPv4, false for IPv6.
    ///   - interface: the interface to reserve it on; the port stays free on others.
    /// - Throws: `SystemError` EADDRINUSE, or EACCES for a port below 1024 without CAP_NET_BIND_SERVICE.
    public init(port: UInt16, isIPv4: Bool, on interface: Interface) throws(SystemError) {
        let socket = try Descriptor(
            socket: isIPv4 ? AF_INET : AF_INET6, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        try socket.attach(.dropAll)
        if !isIPv4 {
            try socket.setOption(
                "restrict the socket to IPv6", level: Int32(IPPROTO_IPV6), name: IPV6_V6ONLY, to: Int32(1))
        }
        try socket.bindToDevice(interface)
        try socket.bind(to: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port))
        self.socket = socket
        self.port = port
    }

    /// Reserves a random free port from the dynamic range, 49152 to 65535. Source: RFC 6335, section 6.
    ///
    /// - Throws: `SystemError` EADDRINUSE after 64 attempts.
    public static func ephemeral(isIPv4: Bool, on interface: Interface) throws(SystemError) -> PortReservation {
        for _ in 0..<64 {
            do throws(SystemError) {
                return try PortReservation(port: .random(in: 49152...65535), isIPv4: isIPv4, on: interface)
            } catch  where error.code == EADDRINUSE {
                continue
            }
        }
        throw SystemError("reserve a free UDP port", code: EADDRINUSE)
    }
}
