/// The one-way delays of one clock epoch.
public struct EpochDelays: Sendable {
    /// The number of the clock epoch, as in the rows' `clockEpoch`.
    public internal(set) var epoch: UInt16
    // Two histograms of the same delays, since none can be turned into the other without loss: buckets are finest at zero
    // in the one, and just below the lowest delay in the other.
    private var absolute = SignedHistogram()
    /// nil from the first delay with an error bound on.
    private var spread: SignedHistogram? = SignedHistogram()
    private var originMoves = 0
    /// The number of delays with an error bound. The others are relative.
    public internal(set) var boundedCount: UInt64 = 0
    /// The largest error bound of a delay, in nanoseconds; nil if no delay has one.
    public internal(set) var largestDelayError: Int64?

    /// The one-way delays in nanoseconds. They are negative if the clocks disagree by more than the actual delay.
    ///
    /// Relative delays include the offset of the clocks, and only their spread is meaningful. If all are relative and the
    /// lowest is far from zero, buckets are finest just below it.
    public var delay: SignedHistogram {
        guard let spread, let lowest = spread.min, !Self.nearZeroNanoseconds.contains(lowest) else { return absolute }
        return spread
    }

    /// The number of delays without an error bound.
    public var relativeCount: UInt64 { absolute.count &- boundedCount }

    /// Creates a clock epoch without delays.
    init(epoch: UInt16) { self.epoch = epoch }

    /// Where a lowest delay is near enough to zero for buckets that are finest there.
    private static let nearZeroNanoseconds: ClosedRange<Int64> = -1_000_000...1_000_000
    /// Origins are multiples of this.
    private static let originStepNanoseconds: Int64 = 1 << 18
    /// A drift of 100 ppm needs as many moves of the origin in two days. Only a hostile peer needs more.
    private static let maximumOriginMoves = 65_536

    @inline(__always)
    mutating func add(_ value: Int64, _ error: Int64?) {
        absolute.record(value)
        if let error {
            boundedCount &+= 1
            largestDelayError = max(largestDelayError ?? error, error)
            spread = nil
        } else if spread != nil {
            moveOrigin(below: value)
            spread?.record(value)
        }
    }

    /// Moves the origin below a relative delay. It only moves away from the earlier delays, and depends on the lowest
    /// alone, so the order of the delays does not matter.
    private mutating func moveOrigin(below value: Int64) {
        guard spread?.isEmpty == true || value < spread?.origin ?? .min, originMoves < Self.maximumOriginMoves
        else { return }
        originMoves += 1
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: Self.originStepNanoseconds)
        let (origin, overflow) = (remainder < 0 ? quotient - 1 : quotient).multipliedReportingOverflow(
            by: Self.originStepNanoseconds)
        spread = spread?.rebased(to: overflow ? .min : origin)
    }
}
