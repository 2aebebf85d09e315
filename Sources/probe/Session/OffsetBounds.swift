/// What the packets alone prove of the peer's clock beside this host's, and of its steps.
///
/// No packet arrives before it was sent, so the peer's clock minus ours lies between T3 - T4 and T2 - T1 in each exchange,
/// whatever the delays of the two directions are and however they change. Exchanges that leave no common value to it,
/// though the clocks have had no time to drift apart so far, prove that one of the clocks was set; so does a reply that
/// took longer at the peer than it was under way in all. Own steps are known (`ClockStepWatch`) and taken out: what is
/// left is the peer's.
///
/// What can't be seen so: a step smaller than the best round trip of late, with ``drift`` for the time between two
/// exchanges and ``tolerance`` besides. A peer that tells its steps itself needs no such proof.
struct OffsetBounds: Sendable {
    /// One probe and its reply: Unix nanoseconds by the clocks of both ends, and CLOCK_MONOTONIC at this one.
    struct Exchange: Sendable {
        var t1: Int64
        var t2: Int64
        var t3: Int64
        var t4: Int64
        var sent: Int64
        var received: Int64
    }

    /// The size of a step, forward as positive nanoseconds, and how far off that is at most.
    struct Size: Hashable, Sendable {
        var amount: Int64
        var error: Int64
    }

    enum Finding: Hashable, Sendable {
        case consistent
        /// The exchange contradicts itself: a clock was set while it was under way.
        case inconsistent
        /// The exchange contradicts those before it: a clock was set in between.
        case stepped
        /// The first exchange after a step: this was its size.
        case settled(Size)
    }

    private struct Range: Sendable {
        var least: Int64
        var most: Int64

        func moved(by amount: Int64) -> Range {
            Range(least: saturating(least, plus: amount), most: saturating(most, plus: amount))
        }

        func widened(by amount: Int64) -> Range {
            Range(least: saturating(least, minus: amount), most: saturating(most, plus: amount))
        }
    }

    /// A tenth: chronyd, where it may not step, slews by up to 83,333 ppm (maxslewrate); the kernel alone by 500 ppm.
    static let drift: Int64 = 10
    /// Foreign reflectors may timestamp in milliseconds, or T2 and T3 by clocks that are not quite one.
    static let tolerance: Int64 = 1_000_000
    /// Exchanges in a row that contradict themselves until this is how the peer's timestamps are.
    static let inconsistentLimit = 8

    private var range: Range?
    private var sent: Int64 = 0
    private var inconsistent = 0
    /// What was known before a step whose size is not known yet.
    private var before: Range?

    /// Enters an exchange during which, as far as is known, no clock was set.
    mutating func record(_ exchange: Exchange) -> Finding {
        let new = Range(
            least: saturating(exchange.t3, minus: exchange.t4), most: saturating(exchange.t2, minus: exchange.t1))
        let isInconsistent =
            saturating(new.least, minus: new.most) > Self.tolerance
            || saturating(exchange.t2, minus: exchange.t3) > Self.tolerance
        guard !isInconsistent else { return recordInconsistent() }
        inconsistent = 0
        let elapsed = max(0, saturating(exchange.received, minus: min(sent, exchange.sent)))
        let allowance = saturating(elapsed / Self.drift, plus: Self.tolerance)
        defer { sent = exchange.sent }
        guard let range else {
            range = new
            guard let old = before?.widened(by: allowance) else { return .consistent }
            before = nil
            return .settled(Self.size(from: old, to: new))
        }
        let old = range.widened(by: allowance)
        guard new.least <= old.most, old.least <= new.most else {
            restart()
            return .stepped
        }
        self.range = Range(least: max(old.least, new.least), most: min(old.most, new.most))
        return .consistent
    }

    private mutating func recordInconsistent() -> Finding {
        // A peer that has never made sense proves nothing.
        guard range != nil else { return .consistent }
        inconsistent += 1
        guard inconsistent >= Self.inconsistentLimit else { return .inconsistent }
        inconsistent = 0
        range = nil
        return .stepped
    }

    /// The peer's clock was set: what was known of it is of the time before.
    mutating func restart() {
        before = range ?? before
        range = nil
    }

    /// This host's clock was set forward by so much.
    mutating func localStep(by amount: Int64) {
        range = range?.moved(by: 0 &- amount)
        before = before?.moved(by: 0 &- amount)
    }

    private static func size(from old: Range, to new: Range) -> Size {
        let least = saturating(new.least, minus: old.most)
        let most = saturating(new.most, minus: old.least)
        return Size(
            amount: least / 2 &+ most / 2, error: max(0, saturating(most / 2, minus: least / 2)) &+ 1)
    }
}

private func saturating(_ value: Int64, plus other: Int64) -> Int64 {
    let (sum, overflow) = value.addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
}

private func saturating(_ value: Int64, minus other: Int64) -> Int64 {
    let (difference, overflow) = value.subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
}
