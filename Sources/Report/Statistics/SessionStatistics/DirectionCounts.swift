/// The outcomes of the packets of one direction: a count for each status of the packet log.
public struct DirectionCounts: Sendable, Hashable {
    /// Packets that arrived once, in time and in order.
    public private(set) var ok: UInt64 = 0
    /// Packets that are proven lost.
    public private(set) var lost: UInt64 = 0
    /// Packets that arrived after the timeout.
    public private(set) var late: UInt64 = 0
    /// Further copies of packets.
    public private(set) var duplicate: UInt64 = 0
    /// Packets that arrived after a packet that was sent later.
    public private(set) var reordered: UInt64 = 0
    /// Packets of an unanswered exchange whose direction of loss is unknown.
    public private(set) var unknown: UInt64 = 0
    /// Packets that arrived damaged.
    public private(set) var corrupt: UInt64 = 0

    /// Packets that the kernel refused to send: they were never on the path.
    public private(set) var notSent: UInt64 = 0

    /// Creates counts of zero.
    public init() {}

    /// Distinct packets that arrived intact: ok, reordered and late.
    public var received: UInt64 { ok &+ reordered &+ late }

    /// Distinct packets: received, lost and unknown. Duplicates are not counted, and neither are damaged packets, since
    /// their sequence numbers cannot be trusted.
    public var sent: UInt64 { received &+ lost &+ unknown }

    /// Counts one row of the log.
    @inline(__always)
    public mutating func add(_ status: PacketStatus) {
        switch status {
        case .corrupt: corrupt &+= 1
        case .duplicate: duplicate &+= 1
        case .late: late &+= 1
        case .lost: lost &+= 1
        case .unknown: unknown &+= 1
        case .reordered: reordered &+= 1
        case .ok: ok &+= 1
        case .notSent: notSent &+= 1
        // There is no packet in this direction.
        case .absent: break
        }
    }
}
