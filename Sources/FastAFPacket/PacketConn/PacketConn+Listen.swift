import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

extension PacketConn {
    /// Opens a packet socket (two with `dualConn`) on one interface only.
    ///
    /// The interface and the sockets belong to the calling thread's network namespace. `NetworkNamespace` switches to
    /// another one while the interface is looked up and the connection opened.
    ///
    /// - Parameters:
    ///   - interface: the interface to receive and send on.
    ///   - type: frames with or without their link-layer header.
    ///   - etherType: the ethertype of the frames to receive, in host byte order: 0x0800, 0x86DD, or 3 for all
    ///     (ETH_P_ALL).
    ///   - configuration: filter, timestamps, buffers, launch times and socket options.
    /// - Throws: `SystemError`: EPERM without CAP_NET_RAW, ENETDOWN if the interface is down, and errors of socket(2),
    ///   setsockopt(2) and bind(2).
    public static func listen(
        on interface: Interface, type: SocketType = .raw, etherType: UInt16,
        configuration: Configuration = Configuration()
    ) throws(SystemError) -> PacketConn {
        let receiver = try Descriptor(packetSocket: type)
        let sender = configuration.dualConn ? try Descriptor(packetSocket: type) : Descriptor(owning: -1)

        // Protocol 0 until bound: nothing is received before the filter is attached.
        if let filter = configuration.filter { try receiver.attach(filter) }
        try receiver.setOption("request auxiliary data", level: CL_SOL_PACKET, name: PACKET_AUXDATA, to: Int32(1))
        let isDual = sender.rawValue >= 0
        var options = configuration.options
        if configuration.boundClock != nil { options.bindToDevice = true }
        try options.apply(to: receiver, on: interface, half: isDual ? .receive : [.receive, .send])
        if isDual { try options.apply(to: sender, on: interface, half: .send) }
        if let launchTimes = configuration.launchTimes {
            if isDual { try sender.allow(launchTimes) } else { try receiver.allow(launchTimes) }
        }
        let granted = try receiver.growReceiveBuffer(to: configuration.receiveBufferBytes)
        let stampBuffer = isDual ? try sender.growReceiveBuffer(to: configuration.receiveBufferBytes) : granted

        // If the driver cannot be queried, the kernel's timestamps are still available.
        let offered = (try? TimestampingCapabilities(of: interface)) ?? TimestampingCapabilities(flags: 0)
        let lease =
            configuration.switchHardwareOn
            ? StampingLease.acquire(
                on: interface, offered, socket: receiver, stampsPTP: configuration.stampsReceivedPTP)
            : StampingLease(.unavailable)
        do throws(SystemError) {
            var kinds = configuration.transmitStamps.intersection(offered.transmitStamps)
            if !lease.stamping.stampsTransmit { kinds.remove(.hardware) }
            // SCHED is taken on entry to the scheduler, which these frames bypass.
            if options.bypassQdisc { kinds.remove(.sched) }
            let stamps = StampOptions(transmit: kinds, configuration)
            if isDual { try stamps.apply(to: receiver, sender: sender) } else { try stamps.apply(to: receiver) }
            try receiver.bind(to: interface, etherType: etherType)
            // Protocol 0: this half never receives.
            if isDual { try sender.bind(to: interface, etherType: 0) }

            let waits = try Waits(receiver: receiver, sender: sender)
            return PacketConn(
                Parts(
                    type: type, receiver: receiver, sender: sender, interface: interface,
                    link: LinkAddress(interface.macAddress, interfaceIndex: interface.index, etherType: etherType),
                    internet: nil, transmitStamps: kinds, lease: lease,
                    identifierMap: identifierMap(configuration), receiveBufferBytes: granted,
                    stampBufferBytes: stampBuffer, configuration: configuration), waits)
        } catch {
            lease.release(to: HardwareStamping.Device(interface.index, socket: receiver))
            throw error
        }
    }

    static func identifierMap(_ configuration: Configuration) -> IdentifierMap? {
        switch configuration.identifiers {
        case .automatic: kernelTakesIdentifiers ? nil : IdentifierMap()
        case .counted: IdentifierMap()
        }
    }

    /// True if the kernel supports SCM_TS_OPT_ID. The test sends no packet: without SO_BROADCAST the kernel rejects a
    /// datagram to the broadcast address, but rejects an unknown control message earlier.
    package static let kernelTakesIdentifiers: Bool = {
        guard let socket = try? Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0),
            (try? StampOptions(transmit: .software, Configuration()).apply(to: socket)) != nil
        else { return false }
        var batch = SendBatch(capacity: 1, packetBytes: 16)
        batch.append(
            id: 0, options: SendOptions(destination: SocketAddress(.v4(.max), port: 9))
        ) { $0.byteCount > 0 ? 1 : 0 }
        batch.includeIdentifiers(from: 0, otherwise: .software)
        let result = cl_sendmmsg(socket.rawValue, batch.storage.headers, 1, Int32(MSG_DONTWAIT))
        return result == -EACCES || result == -ENETUNREACH
    }()
}
