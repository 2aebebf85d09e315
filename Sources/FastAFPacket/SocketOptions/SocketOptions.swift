import NetworkAddresses

/// Socket options beyond sending and receiving. Each is a kernel option; its default is off unless stated otherwise.
///
/// Source: packet(7), socket(7), Documentation/networking/napi.rst.
public struct SocketOptions: Hashable, Sendable {
    /// True if frames bypass the packet scheduler and go straight to the driver. They then have no SCHED timestamp, and
    /// a connection with this option does not offer it. Packet sockets only. Source: PACKET_QDISC_BYPASS.
    public var bypassQdisc = false
    /// True if frames that this host sends are excluded from what is received. Packet sockets only. Source:
    /// PACKET_IGNORE_OUTGOING, Linux 4.20.
    public var ignoreOutgoing = true
    /// True if the interface also accepts frames for other hosts while the socket is open. Needs only CAP_NET_RAW.
    /// Packet sockets only. Source: PACKET_MR_PROMISC.
    public var promiscuous = false
    /// Multicast groups whose frames the interface also accepts while the socket is open. Packet sockets only. Source:
    /// PACKET_MR_MULTICAST.
    public var multicastGroups: [MACAddress] = []
    /// Busy polling of the NIC's queue by a receive call that finds nothing. Linux knows which queue to poll only for
    /// UDP sockets; packet sockets accept the option, but it has no effect (seen on 6.18).
    public var busyPoll: BusyPoll?
    /// The packet scheduler's class for sent packets: 0 to 6, or a class handle (`1:3` is 0x10003), which needs
    /// CAP_NET_ADMIN or, on Linux 5.17 and later, CAP_NET_RAW. Source: SO_PRIORITY.
    public var priority: Int32?
    /// The mark of sent packets, for filters, classes and routing rules on this host. Needs CAP_NET_ADMIN, or
    /// CAP_NET_RAW on Linux 5.17 and later. Source: SO_MARK.
    public var mark: UInt32?
    /// True if the socket is also bound to the device by name, which ``PacketConn/Configuration/boundClock`` requires.
    /// UDP connections always are. Source: SO_BINDTODEVICE.
    public var bindToDevice = false
    /// True if every packet begins with a ``VirtioNetHeader``, in both directions. With it the NIC or the kernel fills
    /// in checksums and cuts segments. Raw packet sockets only. Source: PACKET_VNET_HDR.
    public var virtioNetHeader = false

    public init() {}

    /// Busy polling of the NIC's queue. ``isPreferred`` and a larger ``budget`` need CAP_NET_ADMIN; on some older
    /// kernels ``microseconds`` does too.
    public struct BusyPoll: Hashable, Sendable {
        /// The time to poll, in microseconds. Source: SO_BUSY_POLL.
        public var microseconds: Int32
        /// True if the NIC's interrupts are deferred in favour of polls, for as long as the interface's
        /// `napi_defer_hard_irqs` and `gro_flush_timeout` allow. Source: SO_PREFER_BUSY_POLL, Linux 5.11.
        public var isPreferred: Bool
        /// The maximum number of packets per poll; `nil` leaves the kernel's default of 8. Source: SO_BUSY_POLL_BUDGET,
        /// Linux 5.11.
        public var budget: Int32?

        public init(microseconds: Int32, isPreferred: Bool = false, budget: Int32? = nil) {
            self.microseconds = microseconds
            self.isPreferred = isPreferred
            self.budget = budget
        }
    }
}
