/// What the numbers of one group's samples tell of those that never came.
///
/// The kernel counts a sample before it hands it to listeners, so a number that is missing is a sample that was lost. It
/// counts without a lock: two processors can give one number twice, and their samples can overtake each other. What it
/// had no memory for is not counted at all. Source: psample_sample_packet() in net/psample/psample.c.
public struct GroupSequence: Hashable, Sendable {
    public private(set) var received: UInt64 = 0
    /// Numbers that never came.
    public private(set) var lost: UInt64 = 0
    /// Samples that came behind one of a higher number. They no longer count as lost.
    public private(set) var reordered: UInt64 = 0
    /// Samples with a number that had come already.
    public private(set) var repeated: UInt64 = 0
    /// How often the group was made anew and counted from the start.
    public private(set) var restarts: UInt64 = 0

    /// How far behind a newer one a sample's number is looked up.
    static let window: UInt32 = 64

    private var newest: UInt32?
    /// Bit n: the number n below the newest counts as lost.
    private var missing: UInt64 = 0
    /// How far the newest is above the first.
    private var span: UInt64 = 0
    /// A number from beyond the reach: a sample that comes very late, or the first that is heard of a group that was made
    /// anew. The next sample tells.
    private var suspect: UInt32?

    /// Nothing heard yet.
    public init() {}

    /// Takes the next sample's number.
    ///
    /// - Returns: how many numbers before it have not come so far.
    @discardableResult
    public mutating func receive(_ sequence: UInt32) -> UInt32 {
        received &+= 1
        guard let newest else {
            begin(sequence)
            return 0
        }
        if let suspect {
            self.suspect = nil
            let step = sequence &- suspect
            if step > 0, step < Self.window {
                restarts &+= 1
                begin(suspect)
                advance(step)
                return step &- 1
            }
            countLate(behind: newest &- suspect)
        }
        let step = sequence &- newest
        if step == 0 {
            repeated &+= 1
            return 0
        }
        if step < 1 << 31 {
            advance(step)
            return step &- 1
        }
        takeOld(sequence, behind: newest &- sequence)
        return 0
    }

    /// The kernel has made the group anew: its next number is 0.
    public mutating func restart() {
        if newest != nil { restarts &+= 1 }
        begin(.max)
    }

    private mutating func begin(_ sequence: UInt32) {
        newest = sequence
        missing = 0
        span = 0
        suspect = nil
    }

    private mutating func advance(_ step: UInt32) {
        let between: UInt64 = step < 64 ? (1 << UInt64(step)) &- 2 : ~1
        missing = (step < 64 ? missing << UInt64(step) : 0) | between
        newest = (newest ?? 0) &+ step
        span &+= UInt64(step)
        lost &+= UInt64(step &- 1)
    }

    private mutating func takeOld(_ sequence: UInt32, behind distance: UInt32) {
        guard distance < Self.window else {
            suspect = sequence
            return
        }
        let bit: UInt64 = 1 << UInt64(distance)
        if missing & bit != 0 {
            missing &= ~bit
            lost &-= 1
            reordered &+= 1
        } else if UInt64(distance) > span {
            // From before the first: never counted as lost.
            reordered &+= 1
        } else {
            repeated &+= 1
        }
    }

    /// A sample from beyond the reach: nothing is left that says whether its number was missing, which is likely.
    private mutating func countLate(behind distance: UInt32) {
        reordered &+= 1
        if UInt64(distance) <= span, lost > 0 { lost &-= 1 }
    }
}
