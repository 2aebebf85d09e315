/// The one-way delays of one clock epoch.
public struct EpochDelays: Sendable {
    /// The number of the clock epoch, as in the rows' `clockEpoch`.
    public internal(set) var epoch: UInt16
    /// The one-way delays in nanoseconds. They are negative if the clocks disagree by more than the actual delay.
    public internal(set) var delay = SignedHistogram()
    /// The number of delays with an error bound. The others are relative.
    public internal(set) var boundedCount: UInt64 = 0
    /// The largest error bound of a delay, in nanoseconds; nil if no delay has one.
    public internal(set) var largestDelayError: Int64?

    /// The number of delays without an error bound.
    public var relativeCount: UInt64 { delay.count &- boundedCount }

    /// Creates a clock epoch without delays.
    init(epoch: UInt16) { self.epoch = epoch }

    /// The largest distance of a relative delay from zero at which buckets are finest at zero, in nanoseconds. Relative
    /// delays include the offset of the clocks, and only their spread is meaningful. If the lowest is further from
    /// zero, buckets are finest just below it, at a multiple of `originStepNanoseconds`.
    private static let originThresholdNanoseconds: Int64 = 1_000_000
    private static let originStepNanoseconds: Int64 = 1 << 18

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

    /// Moves the origin for a relative delay. The origin depends on the lowest value alone, so the order of the delays
    /// does not matter.
    private mutating func moveOrigin(below value: Int64) {
        guard !(-Self.originThresholdNanoseconds...Self.originThresholdNanoseconds).contains(value) else {
            if delay.origin > 0 { delay = delay.rebased(to: 0) }
            return
        }
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: Self.originStepNanoseconds)
        let (origin, overflow) = (remainder < 0 ? quotient - 1 : quotient).multipliedReportingOverflow(
            by: Self.originStepNanoseconds)
        let below = overflow ? Int64.min : origin
        if delay.isEmpty {
            if below != delay.origin { delay = SignedHistogram(origin: below) }
        } else if below < delay.origin {
            delay = delay.rebased(to: below)
        }
    }
}
