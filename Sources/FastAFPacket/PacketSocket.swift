import CLinux
import Glibc
import LinuxKernel

/// What every packet socket has, with a ring or without.
extension Descriptor {
    /// A packet socket that receives nothing until it is bound.
    ///
    /// - Throws: `SystemError` EPERM without CAP_NET_RAW.
    init(packetSocket type: PacketConn.SocketType) throws(SystemError) {
        let type = type == .raw ? Int32(SOCK_RAW.rawValue) : Int32(SOCK_DGRAM.rawValue)
        do throws(SystemError) {
            try self.init(socket: AF_PACKET, type: type, protocol: 0)
        } catch  where error.code == EPERM || error.code == EACCES {
            throw SystemError(
                "open a packet socket", code: error.code,
                remedy: "It needs CAP_NET_RAW: run as root, or `setcap cap_net_raw+ep` on the program.")
        }
    }

    /// Binds a packet socket to one interface, or to all where it is `nil`.
    func bind(to interface: Interface?, etherType: UInt16) throws(SystemError) {
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = etherType.bigEndian
        address.sll_ifindex = interface?.index ?? 0
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(rawValue, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        do throws(SystemError) {
            try checkErrno("bind to the interface", result)
            // bind(2) succeeds on an interface that is down, and leaves the error behind.
            let pending = takePendingError()
            if pending != 0 { throw SystemError("bind to the interface", code: pending) }
        } catch  where error.code == ENETDOWN {
            throw error.advising("Bring it up: `ip link set \(interface?.name ?? "…") up`.")
        }
    }

    /// The socket's pending error, which asking takes away; 0 without one. Source: SO_ERROR in socket(7).
    func takePendingError() -> Int32 {
        (try? option("read the pending error", level: SOL_SOCKET, name: SO_ERROR, initial: Int32(0))) ?? 0
    }

    /// What the socket has received and dropped since this was last asked: reading sets the kernel's counters back.
    ///
    /// - Throws: what getsockopt(2) gives. Source: PACKET_STATISTICS in packet(7).
    func takePacketCounts() throws(SystemError) -> Statistics {
        // Without a TPACKET_V3 ring the kernel leaves the last number alone.
        let raw = try option(
            "read the statistics", level: CL_SOL_PACKET, name: PACKET_STATISTICS, initial: tpacket_stats_v3())
        var counts = Statistics()
        counts.packets = UInt64(raw.tp_packets)
        counts.drops = UInt64(raw.tp_drops)
        counts.queueFreezes = UInt64(raw.tp_freeze_q_cnt)
        return counts
    }

    /// Whether the interface that the packet socket was bound to has been deleted: the kernel then takes its number out
    /// of the socket's address. Source: packet_notifier() in net/packet/af_packet.c.
    var isBoundInterfaceGone: Bool {
        var address = sockaddr_ll()
        var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(rawValue, $0, &length) }
        }
        return result == 0 && address.sll_ifindex < 0
    }
}
