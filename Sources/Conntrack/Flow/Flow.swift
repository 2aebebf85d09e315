/// One tracked flow, as the kernel told of it at one moment. What it did not tell is `nil`, which is not 0.
///
/// Source: nf_conntrack_netlink.c of the kernel, enum ctattr_type in linux/netfilter/nfnetlink_conntrack.h.
public struct Flow: Hashable, Sendable {
    /// What passed in one direction. Source: nf_conntrack_acct in the kernel's nf_conntrack-sysctl.rst.
    public struct Counters: Hashable, Sendable {
        public var packets: UInt64
        /// From the IP header on.
        public var bytes: UInt64

        /// Counts as the kernel would tell of them.
        public init(packets: UInt64, bytes: UInt64) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    /// Packets of the direction in which the first one went, as they came in.
    public var original: FlowTuple
    /// Packets of the other direction, as they come in: to the translated end, where there is one.
    public var reply: FlowTuple
    /// What the kernel has noted of it so far.
    public var status: FlowStatus?
    /// Seconds until the flow is forgotten.
    public var timeout: UInt32?
    public var mark: UInt32?
    /// The zone of both directions; absent in the default zone, 0.
    public var zone: UInt16?
    /// The zone of the original direction alone.
    public var originalZone: UInt16?
    /// The zone of the reply direction alone.
    public var replyZone: UInt16?
    /// Tells it from an earlier flow with the same tuples. The kernel derives it from addresses of its own.
    public var id: UInt32?
    /// References that the kernel holds.
    public var use: UInt32?
    /// There where `net.netfilter.nf_conntrack_acct` was 1 when the flow began.
    public var originalCounters: Counters?
    /// The same of the reply direction.
    public var replyCounters: Counters?
    /// When the flow was confirmed: CLOCK_REALTIME, nanoseconds. There where `net.netfilter.nf_conntrack_timestamp` was 1.
    public var startTime: Int64?
    /// When it ended: CLOCK_REALTIME, nanoseconds. In events of destroyed flows.
    public var stopTime: Int64?
    public var tcpState: TCPState?
    /// Where it is tracked, as the listener's namespace numbers others; `nil` for its own. Source: ip-netns(8).
    public var namespaceID: Int32?

    /// A flow of which nothing but its tuples is known.
    public init(original: FlowTuple, reply: FlowTuple) {
        self.original = original
        self.reply = reply
    }

    /// Whether the kernel says that no packet has come back so far.
    public var isUnreplied: Bool { status.map { !$0.contains(.seenReply) } ?? false }
}
