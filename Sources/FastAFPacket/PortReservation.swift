import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// Holds a UDP port beside a packet socket: the kernel then sends no "port unreachable", nobody else takes the port,
/// and nothing is delivered twice, since a filter drops it all.
///
/// The host counts each dropped datagram as Udp InErrors. Source: udp(7), SO_ATTACH_FILTER in socket(7).
public struct PortReservation: ~Copyable, Sendable {
    private let socket: Descriptor
    public let port: UInt16

    /// - Parameters:
    ///   - port: the port to hold.
    ///   - isIPv4: which of the two address families.
    ///   - interface: the port stays free on others.
    /// - Throws: `SystemError` EADDRINUSE, or EACCES for a port below 1024 without CAP_NET_BIND_SERVICE.
    public init(port: UInt16, isIPv4: Bool, on interface: Interface) throws(SystemError) {
        let socket = try Descriptor(
            socket: isIPv4 ? AF_INET : AF_INET6, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        try socket.attach(.dropAll)
        if !isIPv4 {
            try socket.setOption("leave IPv4 alone", level: Int32(IPPROTO_IPV6), name: IPV6_V6ONLY, to: Int32(1))
        }
        try socket.bindToDevice(interface)
        try socket.bind(to: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port))
        self.socket = socket
        self.port = port
    }

    /// Holds a free port of the range that IANA leaves for short-lived use, 49152 to 65535, taken at random.
    ///
    /// - Throws: `SystemError` EADDRINUSE after many tries.
    public static func ephemeral(isIPv4: Bool, on interface: Interface) throws(SystemError) -> PortReservation {
        for _ in 0..<64 {
            do throws(SystemError) {
                return try PortReservation(port: .random(in: 49152...65535), isIPv4: isIPv4, on: interface)
            } catch  where error.code == EADDRINUSE {
                continue
            }
        }
        throw SystemError("hold a free UDP port", code: EADDRINUSE)
    }
}
