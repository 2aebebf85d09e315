import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

extension PacketConn {
    /// Opens an ordinary UDP socket with timestamps; ports above 1023 need no privilege. One socket serves both halves,
    /// because both have the same port.
    ///
    /// - Parameters:
    ///   - address: the address to bind to; port 0 selects any free port.
    ///   - interface: the interface to receive from and send on; packets on others are ignored.
    ///   - hopLimit: the TTL or hop limit of sent packets.
    ///   - configuration: filter, timestamps, and buffers; `dualConn` is ignored.
    /// - Throws: `SystemError`: EADDRINUSE, EACCES for a port below 1024 without CAP_NET_BIND_SERVICE, and errors of
    ///   socket(2) and setsockopt(2).
    public static func listenUDP(
        on address: SocketAddress, interface: Interface, hopLimit: UInt8 = 255,
        configuration: Configuration = Configuration()
    ) throws(SystemError) -> PacketConn {
        let isIPv4 = address.address.isIPv4
        let socket = try Descriptor(
            socket: isIPv4 ? AF_INET : AF_INET6, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        if let filter = configuration.filter { try socket.attach(filter) }
        try socket.bindToDevice(interface)
        try configuration.options.apply(toUDP: socket)
        for (level, name, value) in options(isIPv4: isIPv4, hopLimit: hopLimit) {
            try socket.setOption("set up the UDP socket", level: level, name: name, to: value)
        }
        let granted = try socket.growReceiveBuffer(to: configuration.receiveBufferBytes)
        let offered = (try? TimestampingCapabilities(of: interface)) ?? TimestampingCapabilities(flags: 0)
        var kinds = configuration.transmitStamps.intersection(offered.transmitStamps)
        kinds.remove(.hardware)
        try StampOptions(transmit: kinds, configuration).apply(to: socket)
        if let launchTimes = configuration.launchTimes { try socket.allow(launchTimes) }
        try socket.bind(to: address)
        let bound = try socket.boundAddress() ?? address
        let sender = Descriptor(owning: -1)
        let waits = try Waits(receiver: socket, sender: sender)
        return PacketConn(
            Parts(
                receiver: socket, sender: sender, interface: nil, link: nil, internet: bound,
                transmitStamps: kinds, lease: StampingLease(.unavailable),
                identifierMap: identifierMap(configuration), receiveBufferBytes: granted, stampBufferBytes: granted,
                configuration: configuration), waits)
    }

    /// Level, name and value of the options that report TTL, traffic class and local address with each datagram.
    private static func options(isIPv4: Bool, hopLimit: UInt8) -> [(Int32, Int32, Int32)] {
        let level = Int32(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6)
        let switches =
            isIPv4
            ? [IP_RECVTTL, IP_RECVTOS, IP_PKTINFO]
            : [IPV6_V6ONLY, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVPKTINFO]
        let hops = (level, Int32(isIPv4 ? IP_TTL : IPV6_UNICAST_HOPS), Int32(hopLimit))
        return switches.map { (level, Int32($0), 1) } + [hops]
    }
}
