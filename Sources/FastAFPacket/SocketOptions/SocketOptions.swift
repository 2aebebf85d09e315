import NetworkAddresses

/// What a socket does beside sending and receiving: each option is one of the kernel's, off if nothing else is said.
///
/// Source: packet(7), socket(7), Documentation/networking/napi.rst.
public struct SocketOptions: Hashable, Sendable {
    /// Whether frames go to the driver past the packet scheduler. They then have no SCHED timestamp, and a connection that
    /// sends so promises none. Packet sockets only. Source: PACKET_QDISC_BYPASS.
    public var bypassQdisc = false
    /// Whether frames that this host sends are left out of what is received. Packet sockets only. Source:
    /// PACKET_IGNORE_OUTGOING, Linux 4.20.
    public var ignoreOutgoing = true
    /// Whether the interface takes in frames for other hosts too, for as long as the socket is open. Needs CAP_NET_RAW
    /// alone. Packet sockets only. Source: PACKET_MR_PROMISC.
    public var promiscuous = false
    /// Groups whose frames the interface takes in too, for as long as the socket is open. Packet sockets only. Source:
    /// PACKET_MR_MULTICAST.
    public var multicastGroups: [MACAddress] = []
    /// Whether a receive call that finds nothing polls the NIC's queue by itself. Linux knows which queue to poll for
    /// UDP sockets; packet sockets take the option and nothing comes of it (seen on 6.18).
    public var busyPoll: BusyPoll?
    /// The packet scheduler's class of what is sent: 0 to 6, or a class's handle (`1:3` is 0x10003), which needs
    /// CAP_NET_ADMIN or, from Linux 5.17 on, CAP_NET_RAW. Source: SO_PRIORITY.
    public var priority: Int32?
    /// The mark of what is sent, for filters, classes and routing rules on this host. Needs CAP_NET_ADMIN, or CAP_NET_RAW
    /// from Linux 5.17 on. Source: SO_MARK.
    public var mark: UInt32?
    /// Whether the socket is bound to the device by name too: a clock of the NIC's can be bound only so. UDP connections
    /// always are. Source: SO_BINDTODEVICE.
    public var bindToDevice = false
    /// Whether every packet begins with a ``VirtioNetHeader``, in both directions: with it the NIC or the kernel fills in
    /// checksums and cuts segments. Raw packet sockets only. Source: PACKET_VNET_HDR.
    public var virtioNetHeader = false

    public init() {}

    /// How a receive call that finds nothing polls the NIC's queue. To prefer it or to raise the budget needs
    /// CAP_NET_ADMIN; the time does too on some older kernels.
    public struct BusyPoll: Hashable, Sendable {
        /// How long to poll, in microseconds. Source: SO_BUSY_POLL.
        public var microseconds: Int32
        /// Whether the NIC's interrupts wait for the polls; the interface's `napi_defer_hard_irqs` and
        /// `gro_flush_timeout` say how long. Source: SO_PREFER_BUSY_POLL, Linux 5.11.
        public var isPreferred: Bool
        /// Packets that one poll takes, at most; `nil` leaves the kernel's own 8. Source: SO_BUSY_POLL_BUDGET, Linux 5.11.
        public var budget: Int32?

        public init(microseconds: Int32, isPreferred: Bool = false, budget: Int32? = nil) {
            self.microseconds = microseconds
            self.isPreferred = isPreferred
            self.budget = budget
        }
    }
}
