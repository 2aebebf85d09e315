extension SignedHistogram {
    /// Returns the value that at least `percentile` percent of the recorded values do not exceed (nearest rank), in
    /// nanoseconds, with an error of at most 0.1 % of its distance from the origin; nil without values.
    ///
    /// Percentages are rounded to six decimals and clamped to 0 to 100; NaN counts as 0. 0 gives the exact minimum, 100
    /// the exact maximum.
    ///
    /// - Complexity: O(*n*), where *n* is the number of buckets.
    public func valueAtPercentile(_ percentile: Double) -> Int64? {
        guard !isEmpty else { return nil }
        let parts = percentile > 0 ? UInt64((Swift.min(percentile, 100) * 1_000_000).rounded()) : 0
        if parts == 0 { return lowest }
        if parts == 100_000_000 { return highest }
        // Integers are exact: 99.9 % of 1000 values is rank 999, not 1000 by a rounding error.
        let product = UInt128(count) &* UInt128(parts)
        let rank = UInt64(truncatingIfNeeded: (product &+ 99_999_999) / 100_000_000)
        let value = value(at: distance(atRank: Swift.max(rank, 1)))
        return Swift.min(Swift.max(value, lowest), highest)
    }

    /// The distance from the origin to the middle of the bucket with the value of a rank. Rank 1 is the lowest value.
    private func distance(atRank rank: UInt64) -> Int64 {
        let below = negative.count
        let (lowest, highest) = (distanceFromOrigin(lowest), distanceFromOrigin(highest))
        if rank <= below {
            return ~Self.middle(of: negative, rank: below &- rank &+ 1, from: highest < 0 ? UInt64(~highest) : 0)
        }
        return Self.middle(of: nonNegative, rank: rank &- below, from: lowest > 0 ? UInt64(lowest) : 0)
    }

    private static func middle(of side: MagnitudeHistogram, rank: UInt64, from first: UInt64) -> Int64 {
        var seen: UInt64 = 0
        var result: UInt64 = 0
        side.forEachBucket(from: first) { range, count in
            seen &+= count
            result = range.lowerBound &+ (range.upperBound &- range.lowerBound) / 2
            return seen < rank
        }
        return Int64(truncatingIfNeeded: result)
    }
}
