/// What the ids of one kind's timestamps say by themselves, whatever the ledger has made of deadlines and full queues: how
/// many sends they leave out.
///
/// Sends are counted as they are entered, so ids may have any value, wrap, and come back in any order: a timestamp of an
/// older send closes the gap that it had left.
public struct StampSequence: Hashable, Sendable {
    /// Sends whose timestamp has not come although a later send's has.
    public private(set) var gaps = 0
    /// Sends behind the newest one whose timestamp has come: nothing tells yet whether theirs will.
    public var tail: Int { sends - newest }
    /// Both together: every send whose timestamp has not come.
    public var missing: Int { gaps + tail }

    /// Sends that asked for this kind.
    private var sends = 0
    /// How many of them there were up to the newest one whose timestamp has come, that one included.
    private var newest = 0

    init() {}

    /// Which of each kind's sends one send is, counted from 0; without meaning for a kind that it did not ask for.
    struct Places: Sendable {
        var sched = 0
        var software = 0
        var hardware = 0
    }

    /// Enters a send that asked for this kind or did not, and returns its place.
    mutating func record(_ isExpected: Bool) -> Int {
        defer { if isExpected { sends += 1 } }
        return sends
    }

    /// Enters the first timestamp of the send at this place.
    mutating func recordStamp(ofSend place: Int) {
        if place < newest {
            gaps -= 1
        } else {
            gaps += place - newest
            newest = place + 1
        }
    }
}
