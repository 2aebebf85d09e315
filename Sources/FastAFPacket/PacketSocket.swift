import CLinux
import Glibc
import LinuxKernel

/// Operations common to packet sockets with and without a ring.
extension Descriptor {
    /// Creates a packet socket that receives nothing until it is bound.
    ///
    /// - Throws: `SystemError` EPERM without CAP_NET_RAW.
    init(packetSocket type: PacketConn.SocketType) throws(SystemError) {
        let type = type == .raw ? Int32(SOCK_RAW.rawValue) : Int32(SOCK_DGRAM.rawValue)
        do throws(SystemError) {
            try self.init(socket: AF_PACKET, type: type, protocol: 0)
        } catch  where error.code == EPERM || error.code == EACCES {
            throw SystemError(
                "open a packet socket", code: error.code,
                remedy: "Packet sockets need CAP_NET_RAW: run as root, or `setcap cap_net_raw+ep` on the executable.")
        }
    }

    /// Binds a packet socket to one interface, or to all interfaces if it is `nil`.
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
            // bind(2) succeeds on an interface that is down and leaves a pending error.
            let pending = takePendingError()
            if pending != 0 { throw SystemError("bind to the interface", code: pending) }
        } catch  where error.code == ENETDOWN {
            throw error.advising("The interface is down. Bring it up: `ip link set \(interface?.name ?? "…") up`.")
        }
    }

    /// Reads and clears the socket's pending error; 0 if there is none. Source: SO_ERROR in socket(7).
    func takePendingError() -> Int32 {
        (try? option("read the pending error", level: SOL_SOCKET, name: SO_ERROR, initial: Int32(0))) ?? 0
    }

    /// Reads the number of frames received and dropped since the last call. Reading resets the kernel's counters.
    ///
    /// - Throws: `SystemError` from getsockopt(2). Source: PACKET_STATISTICS in packet(7).
    func takePacketCounts() throws(SystemError) -> Statistics {
        // Without a TPACKET_V3 ring the kernel does not write the last counter.
        let raw = try option(
            "read the statistics", level: CL_SOL_PACKET, name: PACKET_STATISTICS, initial: tpacket_stats_v3())
        var counts = Statistics()
        counts.packets = UInt64(raw.tp_packets)
        counts.drops = UInt64(raw.tp_drops)
        counts.queueFreezes = UInt64(raw.tp_freeze_q_cnt)
        return counts
    }

    /// True if the interface that the packet socket was bound to has been deleted: the kernel then clears the index in
    /// the socket's address. Source: packet_notifier() in net/packet/af_packet.c.
    var isBoundInterfaceGone: Bool {
        var address = sockaddr_ll()
        var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(rawValue, $0, &length) }
        }
        return result == 0 && address.sll_ifindex < 0
    }
}
