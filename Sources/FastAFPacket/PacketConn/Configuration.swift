extension PacketConn {
    /// How a connection is opened. The defaults are what a prober wants.
    public struct Configuration: Sendable {
        /// Two sockets, one to receive and one to send, so that neither's traffic or error queue disturbs the other.
        public var dualConn = true
        /// Put on before the socket is bound: nothing unfiltered is ever received.
        public var filter: Filter?
        /// The transmit timestamps to ask for; what the interface does not offer is left out.
        public var transmitStamps: TransmitStampKinds = .all
        /// Whether received packets carry timestamps.
        public var receiveStamps = true
        /// Whether the NIC's hardware timestamping is switched on where it is off. Needs CAP_NET_ADMIN.
        public var switchHardwareOn = true
        /// Whether a NIC that can't timestamp every frame on receipt is told to timestamp PTP frames, where its timestamping is
        /// switched on.
        public var stampsReceivedPTP = false
        /// Whether transmit timestamps come back with the packet (`false`: the timestamp alone, which containers allow too).
        public var stampsCarryPacket = false
        /// How sends get the id that their timestamps carry.
        public var identifiers = Identifiers.automatic
        /// Room for received packets, and for unread transmit timestamps, in bytes. Above net.core.rmem_max it needs
        /// CAP_NET_ADMIN; less is granted otherwise, and ``PacketConn/warnings`` say so.
        public var receiveBufferBytes: Int32 = 4 << 20
        /// Whether sends may have launch times, and by which clock.
        public var launchTimes: LaunchTimes?
        /// The virtual clock of the NIC's, /dev/ptpN's number, whose time hardware timestamps have in the place of the NIC's
        /// own. Such clocks are made by `n_vclocks` in /sys/class/ptp. Source: SOF_TIMESTAMPING_BIND_PHC, Linux 5.14.
        public var boundClock: Int32?
        /// What the sockets do beside that: promiscuity, busy polls, priority, mark and others.
        public var options = SocketOptions()

        public init(dualConn: Bool = true, filter: Filter? = nil) {
            self.dualConn = dualConn
            self.filter = filter
        }
    }

    /// How sends get the id that their timestamps carry. One way for a socket's whole life: the two collide.
    public enum Identifiers: Sendable {
        /// Given with each send where the kernel takes it (Linux 6.13), counted otherwise.
        case automatic
        /// Counted by the kernel, as on older kernels.
        case counted
    }

    /// What a packet socket of this type hands over. Source: packet(7).
    public enum SocketType: Sendable {
        /// Frames with their link-layer header.
        case raw
        /// Frames without it; addresses say where to.
        case datagram
    }
}
