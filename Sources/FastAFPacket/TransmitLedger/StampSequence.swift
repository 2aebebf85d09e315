/// The gaps in the ids of one kind's timestamps: the number of sends without a timestamp, independent of the ledger's
/// deadlines and full queues.
///
/// Sends are numbered as they are recorded, so ids may have any value, wrap, and return in any order. A timestamp of an
/// earlier send closes the gap that it left.
public struct StampSequence: Hashable, Sendable {
    /// Sends without a timestamp, although a later send has one.
    public private(set) var gaps = 0
    /// Sends after the newest one with a timestamp: their timestamps may still arrive.
    public var tail: Int { sends - newest }
    /// All sends without a timestamp.
    public var missing: Int { gaps + tail }

    /// Sends that requested this kind.
    private var sends = 0
    /// The number of sends up to and including the newest one with a timestamp.
    private var newest = 0

    init() {}

    /// The index of one send among the sends of each kind, counted from 0; undefined for a kind that it did not
    /// request.
    struct Places: Sendable {
        var sched = 0
        var software = 0
        var hardware = 0
    }

    /// Records a send that did or did not request this kind, and returns its index.
    @inline(__always)
    mutating func record(_ isExpected: Bool) -> Int {
        defer { sends &+= isExpected ? 1 : 0 }
        return sends
    }

    /// Records the first timestamp of the send at this index.
    @inline(__always)
    mutating func recordStamp(ofSend place: Int) {
        if place < newest {
            gaps -= 1
        } else {
            gaps += place - newest
            newest = place + 1
        }
    }
}
