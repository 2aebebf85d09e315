extension SignedHistogram {
    /// The buckets that have values, in increasing order.
    ///
    /// Their bounds depend on the layout alone, so that a bucket has the same bounds in every histogram of one origin.
    ///
    /// - Complexity: O(*n*), where *n* is the number of buckets.
    public var buckets: [Bucket] {
        var result: [Bucket] = []
        negative.forEachBucket(from: 0) { range, count in
            let (high, low) = (Int64(clamping: range.lowerBound), Int64(clamping: range.upperBound))
            result.append(Bucket(from: value(at: ~low), to: value(at: ~high), count: count))
            return true
        }
        result.reverse()
        nonNegative.forEachBucket(from: 0) { range, count in
            let (low, high) = (Int64(clamping: range.lowerBound), Int64(clamping: range.upperBound))
            result.append(Bucket(from: value(at: low), to: value(at: high), count: count))
            return true
        }
        return result
    }
}
