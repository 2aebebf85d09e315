/// A histogram of nanoseconds that can be negative: delays between clocks that disagree, and IPDV.
///
/// The width of a bucket is at most 0.1 % of its distance from the origin, which belongs to the upper side. Minimum,
/// maximum, mean and standard deviation are exact: they are computed from the values, not from the buckets. Recording
/// takes constant time. Memory grows with the spread of the values, to 220 KiB at most, in ever larger steps.
public struct SignedHistogram: Sendable {
    /// One bucket: all values from `from` through `to`, in nanoseconds.
    public struct Bucket: Sendable, Hashable {
        /// The lowest value of the bucket.
        public var from: Int64
        /// The highest value of the bucket.
        public var to: Int64
        /// The number of values in the bucket.
        public var count: UInt64

        /// Creates a bucket from its bounds, both inclusive.
        public init(from: Int64, to: Int64, count: UInt64) {
            self.from = from
            self.to = to
            self.count = count
        }
    }

    // Each side takes memory from its first value on.
    var nonNegative = MagnitudeHistogram()
    var negative = MagnitudeHistogram()
    var moments = Moments()
    var lowest = Int64.max
    var highest = Int64.min
    /// The value at which buckets are finest, in nanoseconds. Relative delays are close together, but as far from zero
    /// as the clocks are apart.
    public let origin: Int64

    /// Creates a histogram without values.
    ///
    /// - Parameter origin: the value at which buckets are finest, in nanoseconds.
    public init(origin: Int64 = 0) { self.origin = origin }

    /// Returns the distance of a value from the origin, clamped to Int64.
    @inline(__always)
    func distanceFromOrigin(_ value: Int64) -> Int64 {
        let (distance, overflow) = value.subtractingReportingOverflow(origin)
        return overflow ? (value < origin ? .min : .max) : distance
    }

    /// Returns the value at a distance from the origin, clamped to Int64.
    @inline(__always)
    func value(at distance: Int64) -> Int64 {
        let (value, overflow) = origin.addingReportingOverflow(distance)
        return overflow ? (distance < 0 ? .min : .max) : value
    }

    /// Counts `value`, in nanoseconds.
    @inline(__always)
    public mutating func record(_ value: Int64) {
        count(value, 1)
        moments.add(value)
        lowest = Swift.min(lowest, value)
        highest = Swift.max(highest, value)
    }

    /// Returns the same values in buckets of another origin.
    ///
    /// If the origins differ by a multiple of the buckets' width and the new one is further from the values, each new
    /// bucket contains whole old ones. The result then equals that of recording the values with the new origin.
    ///
    /// - Complexity: O(*n*), where *n* is the number of buckets.
    func rebased(to origin: Int64) -> SignedHistogram {
        var result = SignedHistogram(origin: origin)
        for bucket in buckets { result.count(bucket.from, bucket.count) }
        result.moments = moments
        result.lowest = lowest
        result.highest = highest
        return result
    }

    @inline(__always)
    private mutating func count(_ value: Int64, _ count: UInt64) {
        // -1 is stored as 0, -2 as 1 and Int64.min as Int64.max, so that both sides have the same range.
        let distance = distanceFromOrigin(value)
        if distance >= 0 {
            nonNegative.record(UInt64(distance), count: count)
        } else {
            negative.record(UInt64(~distance), count: count)
        }
    }

    /// Adds all values of `other`, which must have the same origin. The result equals that of recording them here.
    public mutating func merge(_ other: SignedHistogram) {
        nonNegative.merge(other.nonNegative)
        negative.merge(other.negative)
        moments.merge(other.moments)
        lowest = Swift.min(lowest, other.lowest)
        highest = Swift.max(highest, other.highest)
    }

    /// Removes all values and keeps the memory, so that recording continues without allocation.
    public mutating func reset() {
        nonNegative.reset()
        negative.reset()
        moments = Moments()
        lowest = .max
        highest = .min
    }

    /// The number of recorded values.
    public var count: UInt64 { moments.count }
    /// True if no value was recorded.
    public var isEmpty: Bool { moments.count == 0 }
    /// The exact lowest value, nil without values.
    public var min: Int64? { isEmpty ? nil : lowest }
    /// The exact highest value, nil without values.
    public var max: Int64? { isEmpty ? nil : highest }
    /// The mean in nanoseconds, from the exact sum; nil without values.
    public var mean: Double? { moments.mean }
    /// The standard deviation of the population in nanoseconds, from exact sums; nil without values.
    public var standardDeviation: Double? { moments.standardDeviation }
    /// The mean rounded to whole nanoseconds, halves away from zero; nil without values.
    public var roundedMean: Int64? { moments.roundedMean }
    /// The standard deviation rounded to whole nanoseconds; nil without values.
    public var roundedStandardDeviation: Int64? { moments.roundedStandardDeviation }
}
