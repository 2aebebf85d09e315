/// Counts of non-negative values in buckets of at most 0.1 % of their value: the buckets of an HDR histogram with three
/// significant digits.
///
/// Values below 2,048 have a bucket each. Above, each doubling of the value has 1,024 buckets of equal width. Delays
/// fill few of the 55,296 buckets, so counts exist in pages, from the first value in a page on: 128 bytes each. All take
/// 110 KiB.
struct MagnitudeHistogram: Sendable {
    /// The number of recorded values.
    private(set) var count: UInt64 = 0
    /// The place of each page's counts, counted in pages from 1; 0 for a page without values.
    private var places: [UInt16] = []
    /// The low 16 bits of the counts, page by page. Most buckets need no more.
    private var counts: [UInt16] = []
    /// The other bits of the counts that need more, by bucket.
    private var highCounts: [Int: UInt64] = [:]

    /// The binary logarithm of the number of buckets for a doubling of the value.
    private static let resolutionBits = 10
    private static let buckets = bucket(of: UInt64(Int64.max)) + 1
    private static let pageBits = 6
    private static let pageBuckets = 1 << pageBits
    /// The pages whose memory is reserved with the first value. More follow in ever larger steps, so that few values
    /// cause an allocation.
    private static let reservedPages = 32
    /// The number of places that are reserved at a time.
    private static let reservedPlaces = 64

    /// Counts `value`. Values from 2^63 are counted as 2^63 - 1.
    @inline(__always)
    mutating func record(_ value: UInt64, count: UInt64 = 1) {
        let bucket = Self.bucket(of: min(value, UInt64(Int64.max)))
        self.count &+= count
        let page = bucket >> Self.pageBits
        if page >= places.count || places[page] == 0 { insertPage(page) }
        add(count, to: bucket, at: place(bucket))
    }

    /// Adds the counts of another histogram, bucket by bucket.
    mutating func merge(_ other: MagnitudeHistogram) {
        other.forEachBucket(from: 0) { range, count in
            record(range.lowerBound, count: count)
            return true
        }
    }

    /// Removes all values and keeps the memory.
    mutating func reset() {
        for index in counts.indices { counts[index] = 0 }
        highCounts.removeAll(keepingCapacity: true)
        count = 0
    }

    /// Calls `body` with each bucket that has counts, in increasing order from the bucket of `first`, until it returns
    /// false or all counts have been visited.
    func forEachBucket(from first: UInt64, _ body: (ClosedRange<UInt64>, UInt64) -> Bool) {
        var left = count
        var bucket = Self.bucket(of: min(first, UInt64(Int64.max)))
        while left > 0, bucket >> Self.pageBits < places.count {
            guard places[bucket >> Self.pageBits] > 0 else {
                bucket = (bucket >> Self.pageBits + 1) << Self.pageBits
                continue
            }
            let count = UInt64(counts[place(bucket)]) | (highCounts[bucket] ?? 0) << 16
            if count > 0 {
                guard body(Self.values(in: bucket), count) else { return }
                left = left > count ? left - count : 0
            }
            bucket += 1
        }
    }

    /// The place of a bucket's count. Its page must exist.
    @inline(__always)
    private func place(_ bucket: Int) -> Int {
        (Int(places[bucket >> Self.pageBits]) - 1) << Self.pageBits + bucket & (Self.pageBuckets - 1)
    }

    @inline(__always)
    private mutating func add(_ count: UInt64, to bucket: Int, at place: Int) {
        let sum = UInt64(counts[place]) &+ count
        counts[place] = UInt16(truncatingIfNeeded: sum)
        if sum > UInt64(UInt16.max) { addHigh(sum >> 16, to: bucket) }
    }

    @inline(never)
    private mutating func addHigh(_ count: UInt64, to bucket: Int) {
        highCounts[bucket, default: 0] &+= count
    }

    /// Creates the counts of a page.
    @inline(never)
    private mutating func insertPage(_ page: Int) {
        if page >= places.capacity { places.reserveCapacity((page / Self.reservedPlaces + 1) * Self.reservedPlaces) }
        while places.count <= page { places.append(0) }
        if counts.count + Self.pageBuckets > counts.capacity {
            let wanted = max(counts.count * 5 / 4, Self.reservedPages * Self.pageBuckets)
            counts.reserveCapacity(min(wanted, Self.buckets))
        }
        for _ in 0..<Self.pageBuckets { counts.append(0) }
        places[page] = UInt16(counts.count >> Self.pageBits)
    }

    @inline(__always)
    private static func bucket(of value: UInt64) -> Int {
        let excess = max(0, 63 - resolutionBits - value.leadingZeroBitCount)
        return excess << resolutionBits + Int(value >> UInt64(excess))
    }

    private static func values(in bucket: Int) -> ClosedRange<UInt64> {
        let excess = max(0, bucket >> resolutionBits - 1)
        let first = UInt64(bucket - excess << resolutionBits) << UInt64(excess)
        return first...(first + (1 << UInt64(excess) - 1))
    }
}
