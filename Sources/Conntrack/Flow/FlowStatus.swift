/// What the kernel has noted of a flow. Source: enum ip_conntrack_status in linux/netfilter/nf_conntrack_common.h.
public struct FlowStatus: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32

    /// Bits as the kernel has them, unknown ones too.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Another flow's helper foretold it (an FTP data connection).
    public static let expected = FlowStatus(rawValue: 1 << 0)
    /// Packets were seen in both directions.
    public static let seenReply = FlowStatus(rawValue: 1 << 1)
    /// It is not dropped early where the table is full.
    public static let assured = FlowStatus(rawValue: 1 << 2)
    /// Its first packet has left the host or reached its socket: the flow is in the table.
    public static let confirmed = FlowStatus(rawValue: 1 << 3)
    /// The source of its original direction is translated.
    public static let sourceNAT = FlowStatus(rawValue: 1 << 4)
    /// The destination of its original direction is translated.
    public static let destinationNAT = FlowStatus(rawValue: 1 << 5)
    /// TCP sequence numbers are changed on the way.
    public static let sequenceAdjusted = FlowStatus(rawValue: 1 << 6)
    /// Whether to translate the source is decided.
    public static let sourceNATDone = FlowStatus(rawValue: 1 << 7)
    /// Whether to translate the destination is decided.
    public static let destinationNATDone = FlowStatus(rawValue: 1 << 8)
    /// It has left the table.
    public static let dying = FlowStatus(rawValue: 1 << 9)
    /// Packets do not extend its time.
    public static let fixedTimeout = FlowStatus(rawValue: 1 << 10)
    public static let template = FlowStatus(rawValue: 1 << 11)
    public static let untracked = FlowStatus(rawValue: 1 << 12)
    /// A helper was attached by a rule.
    public static let helper = FlowStatus(rawValue: 1 << 13)
    /// A flow table forwards its packets past the rules.
    public static let offloaded = FlowStatus(rawValue: 1 << 14)
    /// Hardware does.
    public static let hardwareOffloaded = FlowStatus(rawValue: 1 << 15)

    /// The bits' names, lowest first, as the kernel has them.
    static let names: [StaticString] = [
        "expected", "seen_reply", "assured", "confirmed", "src_nat", "dst_nat", "seq_adjust", "src_nat_done",
        "dst_nat_done", "dying", "fixed_timeout", "template", "untracked", "helper", "offload", "hw_offload",
    ]
}
