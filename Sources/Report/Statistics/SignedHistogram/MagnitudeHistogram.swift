import Histogram

/// Counts of non-negative values in buckets of at most 0.1 % of their value. Only this file uses HdrHistogram.
///
/// It iterates over the buckets itself, because the package's iterators sum values in 64 bits and trap on overflow.
struct MagnitudeHistogram: Sendable {
    private var storage = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    /// The number of recorded values.
    var count: UInt64 { storage.totalCount }

    /// Counts `value`. Values from 2^63 are counted as 2^63 - 1.
    @inline(__always)
    mutating func record(_ value: UInt64, count: UInt64 = 1) {
        storage.record(min(value, UInt64(Int64.max)), count: count)
    }

    /// Adds the counts of another histogram, bucket by bucket.
    mutating func merge(_ other: MagnitudeHistogram) {
        storage.add(other.storage)
    }

    /// Removes all values and keeps the memory.
    mutating func reset() {
        storage.reset()
    }

    /// Calls `body` with each bucket that has counts, in increasing order from the bucket of `first`, until it returns
    /// false or all counts have been visited.
    func forEachBucket(from first: UInt64, _ body: (ClosedRange<UInt64>, UInt64) -> Bool) {
        var left = storage.totalCount
        var low = storage.lowestEquivalentForValue(first)
        while left > 0, low <= UInt64(Int64.max) {
            let next = storage.nextNonEquivalentForValue(low)
            let count = storage.countForValue(low)
            if count > 0 {
                guard body(low...(next &- 1), count) else { return }
                left = left > count ? left - count : 0
            }
            low = next
        }
    }
}
