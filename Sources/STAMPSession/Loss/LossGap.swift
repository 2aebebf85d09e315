/// A gap of unanswered probes between two answered ones, with the direction of its loss by the reflector's count. It is
/// kept so that a long outage is searched once, not once per probe.
struct LossGap {
    enum Direction {
        case forward, reverse, unknown
    }

    /// The answered probe before the gap, or the newest probe that is no longer kept.
    var first: UInt32
    /// The answered probe after the gap, or the next sequence number to be sent.
    var last: UInt32
    var direction: Direction
    /// True if the direction is kept whatever replies follow, because the gap is too long to be searched again.
    var isFinal: Bool
    /// The number of replies that had been received when the direction was determined.
    var replies: UInt64

    func covers(_ sequence: UInt32) -> Bool { sequence &- first &- 1 < last &- first &- 1 }
}
