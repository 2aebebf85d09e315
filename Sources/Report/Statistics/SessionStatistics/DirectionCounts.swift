/// What became of the packets of one direction, a count for each status of the packet log.
public struct DirectionCounts: Sendable, Hashable {
    /// Packets that arrived once, in time and in order.
    public private(set) var ok: UInt64 = 0
    /// Packets that are proven lost.
    public private(set) var lost: UInt64 = 0
    /// Packets that arrived after the timeout.
    public private(set) var late: UInt64 = 0
    /// Further copies of packets.
    public private(set) var duplicate: UInt64 = 0
    /// Packets that arrived after one that was sent later.
    public private(set) var reordered: UInt64 = 0
    /// Packets of which it is not known which direction lost them.
    public private(set) var unknown: UInt64 = 0
    /// Packets that arrived damaged.
    public private(set) var corrupt: UInt64 = 0

    /// Packets that the kernel refused to send: they were never on the path.
    public private(set) var notSent: UInt64 = 0

    /// All counts zero.
    public init() {}

    /// Distinct packets that arrived whole: ok, reordered and late.
    public var received: UInt64 { ok &+ reordered &+ late }

    /// Distinct packets: those received, lost and unknown. Copies and damaged packets are not counted among them,
    /// since a damaged one's sequence cannot be trusted.
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
        // No packet of this direction.
        case .absent: break
        }
    }
}
