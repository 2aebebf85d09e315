/// Probes without a reply between two answered ones, and what the reflector's count says of them. Kept, so that a long
/// outage is looked through once and not once for each probe.
struct LossGap {
    enum Direction {
        case forward, reverse, unknown
    }

    /// The answered probe before the gap, or where what is kept ends.
    var first: UInt32
    /// The answered probe after the gap, or where what was sent ended.
    var last: UInt32
    var direction: Direction
    /// There is an answered probe after the gap; without one the next reply may tell more.
    var isFinal: Bool
    /// How many replies there had been when the gap was looked into.
    var replies: UInt64

    func covers(_ sequence: UInt32) -> Bool { sequence &- first &- 1 < last &- first &- 1 }
}
