/// The kernel's status bits of a flow. Source: enum ip_conntrack_status in linux/netfilter/nf_conntrack_common.h.
public struct FlowStatus: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32

    /// Any bits of the kernel, including unknown ones.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Another flow's helper expected it (an FTP data connection).
    public static let expected = FlowStatus(rawValue: 1 << 0)
    /// Packets were seen in both directions.
    public static let seenReply = FlowStatus(rawValue: 1 << 1)
    /// The flow is not evicted early when the table is full.
    public static let assured = FlowStatus(rawValue: 1 << 2)
    /// The first packet has left the host or reached its socket, so the flow is in the table.
    public static let confirmed = FlowStatus(rawValue: 1 << 3)
    /// The source of its original direction is translated.
    public static let sourceNAT = FlowStatus(rawValue: 1 << 4)
    /// The destination of its original direction is translated.
    public static let destinationNAT = FlowStatus(rawValue: 1 << 5)
    /// TCP sequence numbers are adjusted.
    public static let sequenceAdjusted = FlowStatus(rawValue: 1 << 6)
    /// The decision about source NAT has been made.
    public static let sourceNATDone = FlowStatus(rawValue: 1 << 7)
    /// The decision about destination NAT has been made.
    public static let destinationNATDone = FlowStatus(rawValue: 1 << 8)
    /// The flow has left the table.
    public static let dying = FlowStatus(rawValue: 1 << 9)
    /// Packets do not extend the flow's timeout.
    public static let fixedTimeout = FlowStatus(rawValue: 1 << 10)
    public static let template = FlowStatus(rawValue: 1 << 11)
    public static let untracked = FlowStatus(rawValue: 1 << 12)
    /// A rule attached a helper.
    public static let helper = FlowStatus(rawValue: 1 << 13)
    /// A flow table forwards the packets, bypassing the rules.
    public static let offloaded = FlowStatus(rawValue: 1 << 14)
    /// Hardware forwards the packets.
    public static let hardwareOffloaded = FlowStatus(rawValue: 1 << 15)

    /// The kernel's names of the bits, lowest first.
    static let names: [StaticString] = [
        "expected", "seen_reply", "assured", "confirmed", "src_nat", "dst_nat", "seq_adjust", "src_nat_done",
        "dst_nat_done", "dying", "fixed_timeout", "template", "untracked", "helper", "offload", "hw_offload",
    ]
}
