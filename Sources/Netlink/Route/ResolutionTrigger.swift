import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// Sends empty UDP datagrams to next hops on one interface, so that the kernel resolves their MAC addresses by ARP or
/// neighbour discovery, or revalidates stale ones.
///
/// The datagrams go to the discard port (RFC 863) and do not leave the link. Source: arp(7), RFC 4861 section 7.2.
public struct ResolutionTrigger: ~Copyable, Sendable {
    private let socket: Descriptor
    private let interfaceIndex: Int32

    /// Opens a socket in the calling thread's network namespace, which must be the interface's.
    ///
    /// - Parameter isIPv4: true for IPv4 next hops, false for IPv6.
    /// - Throws: ``SystemError`` if the socket can't be opened or bound to the interface (CAP_NET_RAW before 5.7).
    public init(isIPv4: Bool, on interface: Interface) throws(SystemError) {
        let opened = try Descriptor(
            socket: isIPv4 ? AF_INET : AF_INET6, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        try Self.bind(opened, to: interface)
        let (level, option) = isIPv4 ? (Int32(IPPROTO_IP), IP_TTL) : (Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS)
        try opened.setOption("limit the packet to one hop", level: level, name: option, to: Int32(1))
        socket = opened
        interfaceIndex = interface.index
    }

    private static func bind(_ socket: borrowing Descriptor, to interface: Interface) throws(SystemError) {
        let number = socket.rawValue
        let result = interface.name.withCString { name in
            setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(strlen(name)))
        }
        do throws(SystemError) {
            try checkErrno("bind the socket to the interface", result)
        } catch  where error.code == EPERM {
            throw error.advising("Run as root, or grant CAP_NET_RAW with `setcap`.")
        }
    }

    /// Sends one datagram, and does not wait.
    ///
    /// - Throws: ``SystemError`` if it can't be sent: EAGAIN while datagrams to many unresolved next hops are queued,
    ///   ENODEV once the interface is deleted.
    public func send(to address: IPAddress) throws(SystemError) {
        let scope = !address.isIPv4 && address.isLinkLocal ? UInt32(bitPattern: interfaceIndex) : 0
        let destination = SocketAddress(address, port: 9, scope: scope)
        let sent = withUnsafeTemporaryAllocation(
            byteCount: SocketAddress.storageLength, alignment: MemoryLayout<sockaddr_in6>.alignment
        ) { storage -> Int in
            guard let base = storage.baseAddress else { return -1 }
            let length = destination.store(to: base)
            return sendto(socket.rawValue, nil, 0, 0, base.assumingMemoryBound(to: sockaddr.self), length)
        }
        try checkErrno("send to the next hop", Int32(clamping: sent))
    }
}
