/// The one-way delays of one clock epoch: between two steps of the hosts' clocks.
public struct EpochDelays: Sendable {
    /// The epoch's number, the rows' `clockEpoch`.
    public internal(set) var epoch: UInt16
    /// One-way delay in nanoseconds, negative where the clocks disagree by more than it.
    public internal(set) var delay = SignedHistogram()
    /// Delays whose error has a bound. The others are relative.
    public internal(set) var boundedCount: UInt64 = 0
    /// The largest bound of a delay's error in nanoseconds, over those that have one; nil if none has.
    public internal(set) var largestDelayError: Int64?

    /// Delays without a bound of their error.
    public var relativeCount: UInt64 { delay.count &- boundedCount }

    /// An epoch without delays.
    init(epoch: UInt16) { self.epoch = epoch }

    /// Relative delays lie as far from zero as the clocks are apart, and their spread is all that they mean. Where the lowest
    /// of them is further off than this, buckets are finest just below it, at a multiple of `originStep`. Nanoseconds.
    private static let nearZero: Int64 = 1_000_000
    private static let originStep: Int64 = 1 << 18

    @inline(__always)
    mutating func add(_ value: Int64, _ error: Int64?) {
        if let error {
            boundedCount &+= 1
            largestDelayError = max(largestDelayError ?? error, error)
            if delay.origin != 0 { delay = delay.rebased(to: 0) }
        } else if boundedCount == 0 {
            moveOrigin(below: value)
        }
        delay.record(value)
    }

    /// The origin follows from the lowest value alone, so that the order in which delays come does not show.
    private mutating func moveOrigin(below value: Int64) {
        guard !(-Self.nearZero...Self.nearZero).contains(value) else {
            if delay.origin > 0 { delay = delay.rebased(to: 0) }
            return
        }
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: Self.originStep)
        let (origin, overflow) = (remainder < 0 ? quotient - 1 : quotient).multipliedReportingOverflow(
            by: Self.originStep)
        let below = overflow ? Int64.min : origin
        if delay.isEmpty {
            if below != delay.origin { delay = SignedHistogram(origin: below) }
        } else if below < delay.origin {
            delay = delay.rebased(to: below)
        }
    }
}
