import CLinux
import Glibc
import LinuxKernel

extension PacketRing {
    /// Opens a packet socket with a ring.
    ///
    /// - Parameters:
    ///   - interface: the interface to receive from; `nil` receives from all in this network namespace.
    ///   - configuration: the defaults take 32 MiB of unswappable memory.
    /// - Throws: `SystemError`: EPERM without CAP_NET_RAW, EINVAL for an invalid geometry or a version that the kernel
    ///   does not have, ENOMEM if there is not enough memory, ENETDOWN if the interface is down, and errors of
    ///   socket(2), setsockopt(2), mmap(2) and bind(2).
    public static func open(
        on interface: Interface?, configuration: Configuration = Configuration()
    ) throws(SystemError) -> PacketRing {
        let socket = try Descriptor(packetSocket: configuration.socketType)
        // Protocol 0 until bound: nothing is received before the filter is attached.
        if let filter = configuration.filter { try socket.attach(filter) }
        let version = try setVersion(of: socket, configuration.version)
        let geometry = try RingGeometry(configuration, version: version)
        if configuration.restoresVLANTag {
            guard configuration.socketType == .raw, version != .v1 else {
                throw SystemError(
                    "restore VLAN tags", code: EINVAL, remedy: "It needs a raw socket, and TPACKET_V2 or V3.")
            }
            let tagBytes: UInt32 = 4
            try socket.setOption("reserve room for the tag", level: CL_SOL_PACKET, name: PACKET_RESERVE, to: tagBytes)
        }
        if configuration.options.virtioNetHeader {
            throw SystemError(
                "set the ring's options", code: EOPNOTSUPP, remedy: "virtioNetHeader needs a PacketConn.")
        }
        try configuration.options.apply(to: socket, on: interface, half: [.receive, .send])
        let lease = try requestStamps(socket, interface, configuration.stamps)
        do throws(SystemError) {
            try setUpMemory(of: socket, geometry, configuration.blockTimeout)
            let mapping = try Mapping(of: socket, byteCount: geometry.byteCount)
            try socket.bind(to: interface, etherType: configuration.etherType)
            let closing = try EventSignal()
            return PacketRing(
                socket: socket, closing: closing, mapping: mapping, geometry: geometry, interface: interface,
                lease: lease, configuration: configuration)
        } catch {
            if let interface { lease.release(to: HardwareStamping.Device(interface.index, socket: socket)) }
            throw error
        }
    }

    private static func setVersion(
        of socket: borrowing Descriptor, _ wanted: Version?
    ) throws(SystemError) -> Version {
        var failure = SystemError("choose the ring's version", code: EINVAL)
        for version in wanted.map({ [$0] }) ?? [.v3, .v2, .v1] {
            do throws(SystemError) {
                // At SOL_SOCKET this number is SO_OOBINLINE.
                try socket.setOption(
                    "choose the ring's version", level: CL_SOL_PACKET, name: PACKET_VERSION, to: version.rawValue)
                return version
            } catch {
                failure = error.advising(
                    "This kernel does not support it: leave version nil to use the highest available.")
            }
        }
        throw failure
    }

    private static func setUpMemory(
        of socket: borrowing Descriptor, _ geometry: RingGeometry, _ blockTimeout: Duration
    ) throws(SystemError) {
        var request = tpacket_req3()
        request.tp_block_size = UInt32(geometry.blockSize)
        request.tp_block_nr = UInt32(geometry.blockCount)
        request.tp_frame_size = UInt32(geometry.frameSize)
        request.tp_frame_nr = UInt32(clamping: geometry.framesPerBlock * geometry.blockCount)
        // Rounded up, because 0 selects the kernel's default.
        let milliseconds = (max(0, blockTimeout.nanoseconds) &+ 999_999) / 1_000_000
        request.tp_retire_blk_tov = UInt32(clamping: milliseconds)
        // struct tpacket_req is the start of struct tpacket_req3.
        let length =
            geometry.version == .v3 ? MemoryLayout<tpacket_req3>.size : MemoryLayout<tpacket_req>.size
        let result = setsockopt(
            socket.rawValue, CL_SOL_PACKET, PACKET_RX_RING, &request, socklen_t(length))
        do throws(SystemError) {
            try checkErrno("set up the ring", result)
        } catch  where error.code == ENOMEM {
            throw error.advising(
                "\(geometry.byteCount >> 20) MiB in blocks of \(geometry.blockSize >> 10) KiB could not be allocated: "
                    + "use fewer or smaller blocks.")
        }
    }

    /// Requests receive timestamps. Unless some socket requests them, a ring has only the time of the copy.
    private static func requestStamps(
        _ socket: borrowing Descriptor, _ interface: Interface?, _ preference: StampPreference
    ) throws(SystemError) -> StampingLease {
        try StampOptions(transmit: [], PacketConn.Configuration()).apply(toReceiver: socket)
        guard preference == .hardware else { return StampingLease(.unavailable) }
        try socket.setOption(
            "request the NIC's timestamps", level: CL_SOL_PACKET, name: PACKET_TIMESTAMP,
            to: UInt32(SOF_TIMESTAMPING_RAW_HARDWARE))
        guard let interface, let offered = try? TimestampingCapabilities(of: interface) else {
            return StampingLease(.unavailable)
        }
        return .acquire(on: interface, offered, socket: socket)
    }
}
