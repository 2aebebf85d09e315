/// Totals of a receive half since it was opened. The kernel resets its counters at every read; these keep the totals.
///
/// Source: PACKET_STATISTICS in packet(7), struct tpacket_stats_v3.
public struct Statistics: Hashable, Sendable {
    /// Frames that passed the filter, dropped ones included.
    public var packets: UInt64 = 0
    /// Frames dropped because the receive buffer was full.
    public var drops: UInt64 = 0
    /// Times that a ring was full and its queue frozen; 0 without a TPACKET_V3 ring.
    public var queueFreezes: UInt64 = 0

    /// Creates totals that are all zero.
    public init() {}

    static func += (totals: inout Statistics, counts: Statistics) {
        totals.packets += counts.packets
        totals.drops += counts.drops
        totals.queueFreezes += counts.queueFreezes
    }
}
