/// Bounds of the offset between the peer's clock and this host's, and the steps that exchanges of packets prove.
///
/// No packet arrives before it is sent, so in each exchange the peer's clock minus this host's lies between T3 - T4 and
/// T2 - T1, whatever the delays are and however they change. If two exchanges have no offset in common, although the
/// clocks cannot have drifted that far apart in between, one of the clocks was set. The same follows from a reply that
/// spent more time at the peer than the whole exchange took. Steps of this host are known (`ClockStepWatch`) and
/// subtracted, so the remaining ones are the peer's.
///
/// A step goes unseen if it is smaller than the shortest recent round trip plus ``driftDivisor``'s share of the time
/// between two exchanges plus ``toleranceNanoseconds``. A paired peer reports its steps, and needs no such proof.
struct OffsetBounds: Sendable {
    /// One probe and its reply. T1 to T4 are Unix nanoseconds of the clocks that took them; `sent` and `received` are
    /// nanoseconds of this host's CLOCK_MONOTONIC.
    struct Exchange: Sendable {
        var t1: Int64
        var t2: Int64
        var t3: Int64
        var t4: Int64
        var sent: Int64
        var received: Int64
    }

    /// The size of a step in nanoseconds, positive if forward, and the bound of its error.
    struct Size: Hashable, Sendable {
        var amount: Int64
        var error: Int64
    }

    enum Finding: Hashable, Sendable {
        case consistent
        /// The exchange contradicts itself: a clock was set during it.
        case inconsistent
        /// The exchange contradicts earlier ones: a clock was set in between.
        case stepped
        /// The exchange is the first one after a step, and gives its size.
        case settled(Size)
    }

    private struct Range: Sendable {
        var lower: Int64
        var upper: Int64

        func moved(by amount: Int64) -> Range {
            Range(lower: saturating(lower, plus: amount), upper: saturating(upper, plus: amount))
        }

        func widened(by amount: Int64) -> Range {
            Range(lower: saturating(lower, minus: amount), upper: saturating(upper, plus: amount))
        }
    }

    /// Clocks may drift by one part in this. chronyd slews by up to 83,333 ppm (maxslewrate) if it may not step; the
    /// kernel alone slews by up to 500 ppm.
    static let driftDivisor: Int64 = 10
    /// Standard STAMP reflectors may timestamp in milliseconds, or take T2 and T3 from slightly different clocks.
    static let toleranceNanoseconds: Int64 = 1_000_000
    /// After this number of consecutive exchanges that contradict themselves, the peer's timestamps are taken to have
    /// changed for good.
    static let inconsistentLimit = 8

    private var range: Range?
    private var sent: Int64 = 0
    private var inconsistent = 0
    /// The range before a step whose size is not known yet.
    private var before: Range?

    /// Records an exchange during which no clock is known to have been set.
    mutating func record(_ exchange: Exchange) -> Finding {
        let new = Range(
            lower: saturating(exchange.t3, minus: exchange.t4), upper: saturating(exchange.t2, minus: exchange.t1))
        let isInconsistent =
            saturating(new.lower, minus: new.upper) > Self.toleranceNanoseconds
            || saturating(exchange.t2, minus: exchange.t3) > Self.toleranceNanoseconds
        guard !isInconsistent else { return recordInconsistent() }
        inconsistent = 0
        let elapsed = max(0, saturating(exchange.received, minus: min(sent, exchange.sent)))
        let allowance = saturating(elapsed / Self.driftDivisor, plus: Self.toleranceNanoseconds)
        defer { sent = exchange.sent }
        guard let range else {
            range = new
            guard let old = before?.widened(by: allowance) else { return .consistent }
            before = nil
            return .settled(Self.size(from: old, to: new))
        }
        let old = range.widened(by: allowance)
        guard new.lower <= old.upper, old.lower <= new.upper else {
            restart()
            return .stepped
        }
        self.range = Range(lower: max(old.lower, new.lower), upper: min(old.upper, new.upper))
        return .consistent
    }

    private mutating func recordInconsistent() -> Finding {
        // A peer whose timestamps were never consistent proves nothing.
        guard range != nil else { return .consistent }
        inconsistent += 1
        guard inconsistent >= Self.inconsistentLimit else { return .inconsistent }
        inconsistent = 0
        range = nil
        return .stepped
    }

    /// Discards the bounds, because the peer's clock was set.
    mutating func restart() {
        before = range ?? before
        range = nil
    }

    /// Shifts the bounds by a step of this host's clock, forward if `amount` is positive.
    mutating func localStep(by amount: Int64) {
        range = range?.moved(by: 0 &- amount)
        before = before?.moved(by: 0 &- amount)
    }

    private static func size(from old: Range, to new: Range) -> Size {
        let lower = saturating(new.lower, minus: old.upper)
        let upper = saturating(new.upper, minus: old.lower)
        return Size(
            amount: lower / 2 &+ upper / 2, error: max(0, saturating(upper / 2, minus: lower / 2)) &+ 1)
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
