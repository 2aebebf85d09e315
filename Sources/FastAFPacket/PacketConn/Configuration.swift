extension PacketConn {
    /// The configuration of a connection. The defaults suit active measurement.
    public struct Configuration: Sendable {
        /// True for two sockets, one to receive and one to send, so that neither's traffic or error queue disturbs the
        /// other.
        public var dualConn = true
        /// The filter, attached before the socket is bound: nothing unfiltered is ever received.
        public var filter: Filter?
        /// The transmit timestamps to request; kinds that the interface does not offer are left out.
        public var transmitStamps: TransmitStampKinds = .all
        /// True if received packets carry timestamps.
        public var receiveStamps = true
        /// True to switch the NIC's hardware timestamping on if it is off. Needs CAP_NET_ADMIN.
        public var switchHardwareOn = true
        /// True if a NIC that cannot timestamp every received frame is set to timestamp PTP frames, when its
        /// timestamping is switched on.
        public var stampsReceivedPTP = false
        /// True if transmit timestamps return with the packet; false returns the timestamp alone, which containers
        /// allow too.
        public var stampsCarryPacket = false
        /// The way in which sends get the id that their timestamps carry.
        public var identifiers = Identifiers.automatic
        /// The room for received packets and for unread transmit timestamps, in bytes. A value above net.core.rmem_max
        /// needs CAP_NET_ADMIN; without it the kernel grants less, and ``PacketConn/warnings`` reports it.
        public var receiveBufferBytes: Int32 = 4 << 20
        /// The clock and mode of launch times; `nil` if sends have none.
        public var launchTimes: LaunchTimes?
        /// The number N of a virtual clock of the NIC, /dev/ptpN, whose time hardware timestamps use instead of the
        /// PHC's. Virtual clocks are created through `n_vclocks` in /sys/class/ptp. Source: SOF_TIMESTAMPING_BIND_PHC,
        /// Linux 5.14.
        public var boundClock: Int32?
        /// Further socket options: promiscuous mode, busy polling, priority, mark and others.
        public var options = SocketOptions()

        public init(dualConn: Bool = true, filter: Filter? = nil) {
            self.dualConn = dualConn
            self.filter = filter
        }
    }

    /// The way in which sends get the id that their timestamps carry. It is fixed for a socket's life, because given
    /// and counted ids collide.
    public enum Identifiers: Sendable {
        /// Given with each send if the kernel accepts it (Linux 6.13), counted otherwise.
        case automatic
        /// Counted by the kernel, as on older kernels.
        case counted
    }

    /// The part of a packet that a packet socket sends and receives. Source: packet(7).
    public enum SocketType: Sendable {
        /// Frames with their link-layer header.
        case raw
        /// Packets without the link-layer header; addresses give the destination.
        case datagram
    }
}
