/// A conntrack entry at one point in time. A property is `nil`, which is not 0, if the kernel did not report it.
///
/// Source: nf_conntrack_netlink.c of the kernel, enum ctattr_type in linux/netfilter/nfnetlink_conntrack.h.
public struct Flow: Hashable, Sendable {
    /// Traffic counters of one direction. Source: nf_conntrack_acct in the kernel's nf_conntrack-sysctl.rst.
    public struct Counters: Hashable, Sendable {
        public var packets: UInt64
        /// Bytes, including the IP header.
        public var bytes: UInt64

        /// Counters with the given values.
        public init(packets: UInt64, bytes: UInt64) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    /// The tuple of packets in the direction of the first packet, before translation.
    public var original: FlowTuple
    /// The tuple of packets in the other direction, before translation: with NAT they are sent to the translated end.
    public var reply: FlowTuple
    /// The kernel's status bits.
    public var status: FlowStatus?
    /// Seconds until the flow expires.
    public var timeout: UInt32?
    public var mark: UInt32?
    /// The zone of both directions; `nil` in the default zone, 0.
    public var zone: UInt16?
    /// The zone of the original direction only.
    public var originalZone: UInt16?
    /// The zone of the reply direction only.
    public var replyZone: UInt16?
    /// Distinguishes the flow from an earlier one with the same tuples. The kernel derives it from kernel addresses.
    public var id: UInt32?
    /// Number of references that the kernel holds.
    public var use: UInt32?
    /// Counters of the original direction; `nil` unless `net.netfilter.nf_conntrack_acct` was 1 when the flow began.
    public var originalCounters: Counters?
    /// Counters of the reply direction, under the same condition.
    public var replyCounters: Counters?
    /// The time when the flow was confirmed, in CLOCK_REALTIME nanoseconds; `nil` unless
    /// `net.netfilter.nf_conntrack_timestamp` was 1.
    public var startTime: Int64?
    /// The time when the flow ended, in CLOCK_REALTIME nanoseconds; only in destroy events.
    public var stopTime: Int64?
    public var tcpState: TCPState?
    /// The id, in the listener's namespace, of the namespace that tracks the flow; `nil` for the listener's namespace.
    /// Source: ip-netns(8).
    public var namespaceID: Int32?

    /// A flow with only its tuples.
    public init(original: FlowTuple, reply: FlowTuple) {
        self.original = original
        self.reply = reply
    }

    /// True if the kernel reports that no reply has been seen.
    public var isUnreplied: Bool { status.map { !$0.contains(.seenReply) } ?? false }
}
