/// Loss, reordering and duplicates of one group's samples, inferred from their sequence numbers.
///
/// The kernel numbers a sample before it hands it to listeners, so a missing number is a lost sample. It numbers
/// without a lock: two CPUs can assign the same number, and their samples can overtake each other. A sample that the
/// kernel could not allocate gets no number. Source: psample_sample_packet() in net/psample/psample.c.
public struct GroupSequence: Hashable, Sendable {
    public private(set) var received: UInt64 = 0
    /// Sequence numbers that have not arrived.
    public private(set) var lost: UInt64 = 0
    /// Samples that arrived after one with a higher number. They no longer count as lost.
    public private(set) var reordered: UInt64 = 0
    /// Samples with a number that had already arrived.
    public private(set) var repeated: UInt64 = 0
    /// Number of times the group was recreated and its numbering restarted.
    public private(set) var restarts: UInt64 = 0

    /// Number of sequence numbers, counted back from the newest, in which a late sample is recognised.
    static let window: UInt32 = 64

    private var newest: UInt32?
    /// Bit n is set while the number n below the newest counts as lost.
    private var missing: UInt64 = 0
    /// Distance from the first number to the newest.
    private var span: UInt64 = 0
    /// A number below the window: either a very late sample or the first one received from a recreated group. The next
    /// sample decides.
    private var suspect: UInt32?

    /// A sequence without samples.
    public init() {}

    /// Records the next sample's number.
    ///
    /// - Returns: the number of samples skipped immediately before it; 0 for a late or repeated sample.
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
        receiveOld(sequence, behind: newest &- sequence)
        return 0
    }

    /// Restarts the numbering after the kernel has recreated the group: the next number is 0.
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

    private mutating func receiveOld(_ sequence: UInt32, behind distance: UInt32) {
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
            // Older than the first sample received, so it was never counted as lost.
            reordered &+= 1
        } else {
            repeated &+= 1
        }
    }

    /// Counts a sample from below the window. Its number was most likely missing, but no record of that remains.
    private mutating func countLate(behind distance: UInt32) {
        reordered &+= 1
        if UInt64(distance) <= span, lost > 0 { lost &-= 1 }
    }
}
