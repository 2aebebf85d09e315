import Testing

@testable import Report

@Suite struct SignedHistogramTests {
    private func histogram(_ values: some Sequence<Int64>) -> SignedHistogram {
        var histogram = SignedHistogram()
        for value in values { histogram.record(value) }
        return histogram
    }

    /// The value of a sorted array at the nearest rank.
    private func exact(_ sorted: [Int64], millionths: Int) -> Int64 {
        let rank = (sorted.count * millionths + 99_999_999) / 100_000_000
        return sorted[max(rank, 1) - 1]
    }

    private func expectAccurate(_ values: [Int64], _ location: SourceLocation = #_sourceLocation) {
        let histogram = histogram(values)
        let sorted = values.sorted()
        for millionths in [0, 1, 1_000_000, 10_000_000, 50_000_000, 90_000_000, 99_000_000, 99_900_000, 100_000_000] {
            let percentile = Double(millionths) / 1_000_000
            let expected = exact(sorted, millionths: millionths)
            let found = histogram.valueAtPercentile(percentile) ?? 0
            let error = Double(found) - Double(expected)
            #expect(
                error.magnitude <= Double(expected.magnitude) * 0.001, "\(percentile): \(found) for \(expected)",
                sourceLocation: location)
        }
        #expect(histogram.min == sorted.first, sourceLocation: location)
        #expect(histogram.max == sorted.last, sourceLocation: location)
        #expect(histogram.count == UInt64(sorted.count), sourceLocation: location)
    }

    @Test func `An empty histogram has no figures`() {
        let empty = SignedHistogram()
        #expect(empty.isEmpty)
        #expect(empty.count == 0)
        #expect(empty.min == nil)
        #expect(empty.max == nil)
        #expect(empty.mean == nil)
        #expect(empty.standardDeviation == nil)
        #expect(empty.roundedMean == nil)
        #expect(empty.roundedStandardDeviation == nil)
        #expect(empty.valueAtPercentile(50) == nil)
        #expect(empty.buckets.isEmpty)
    }

    @Test(arguments: [0, 1, -1, 2047, 2048, -2048, -2049, 123_456_789, -987_654_321_012, Int64.max, .min])
    func `Every percentile of a single value is that value`(value: Int64) {
        let single = histogram([value])
        for percentile in [0, 0.1, 50, 99.9, 100] { #expect(single.valueAtPercentile(percentile) == value) }
        #expect(single.min == value)
        #expect(single.max == value)
        #expect(single.roundedMean == value)
        #expect(single.standardDeviation == 0)
        #expect(single.buckets.count == 1)
        #expect(single.buckets.allSatisfy { $0.from <= value && value <= $0.to && $0.count == 1 })
    }

    @Test func `Small values are exact`() {
        expectAccurate((0..<2048).map { Int64($0) })
        #expect(histogram((0..<2048).map { Int64($0) }).valueAtPercentile(50) == 1023)
        #expect(histogram((-2048..<0).map { Int64($0) }).valueAtPercentile(50) == -1025)
    }

    @Test func `Quantiles of positive values agree with a sorted array`() {
        var generator = SplitMix(state: 11)
        expectAccurate((0..<20_000).map { _ in Int64(generator.next() >> (20 + generator.next() % 40)) })
    }

    @Test func `Quantiles of negative values agree with a sorted array`() {
        var generator = SplitMix(state: 12)
        expectAccurate((0..<20_000).map { _ in -1 - Int64(generator.next() >> (20 + generator.next() % 40)) })
    }

    @Test func `Quantiles of mixed values agree with a sorted array`() {
        var generator = SplitMix(state: 13)
        expectAccurate((0..<20_000).map { _ in Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64) })
    }

    @Test(arguments: [1, 2, 3, 10, 999, 1000, 1001])
    func `Quantiles of few values use the nearest rank`(count: Int) {
        expectAccurate((0..<count).map { Int64($0 - count / 2) })
    }

    @Test func `The 99.9th percentile of a thousand values is the 999th`() {
        #expect(histogram((1...1000).map { Int64($0) }).valueAtPercentile(99.9) == 999)
    }

    @Test func `Percentages beyond the range give the nearest end`() {
        let values = histogram([-5, 0, 5])
        #expect(values.valueAtPercentile(-1) == -5)
        #expect(values.valueAtPercentile(101) == 5)
        #expect(values.valueAtPercentile(.infinity) == 5)
        #expect(values.valueAtPercentile(-.infinity) == -5)
        #expect(values.valueAtPercentile(.nan) == -5)
    }

    @Test func `Zero belongs to the non-negative side`() {
        let values = histogram([0, -1])
        #expect(values.buckets == [.init(from: -1, to: -1, count: 1), .init(from: 0, to: 0, count: 1)])
    }

    @Test func `Mean and deviation are computed from the values, not from the buckets`() {
        let values = histogram([1_000_001, 1_000_002, 1_000_003, 1_000_006])
        #expect(values.mean == 1_000_003)
        #expect(values.standardDeviation == 3.5.squareRoot())
        #expect(values.roundedStandardDeviation == 2)
    }

    @Test func `A deviation of nanoseconds is exact despite an offset of years`() {
        let offset: Int64 = 1_795_256_040_123_456_789
        let values = histogram([offset - 1, offset, offset + 1, offset])
        #expect(values.roundedMean == offset)
        #expect(values.standardDeviation == 0.5.squareRoot())
    }

    @Test func `The deviation is exact even if its terms are on both sides of 128 bits`() {
        // The square of the sum is just below 2^128, the count times the sum of squares just above it.
        let (middle, distance) = (Int64(6_148_914_691_236_517_205), Int64(3_000_000_000))
        let values = histogram([middle - distance, middle, middle + distance])
        #expect(values.standardDeviation == (6 * 9e18).squareRoot() / 3)
    }

    @Test func `The mean is rounded, with halves away from zero`() {
        #expect(histogram([1, 2]).roundedMean == 2)
        #expect(histogram([-1, -2]).roundedMean == -2)
        #expect(histogram([1, 1, 2]).roundedMean == 1)
        #expect(histogram([-1, 1, 0]).roundedMean == 0)
    }

    @Test func `Extreme values do not overflow`() {
        let values = histogram(Array(repeating: Int64.min, count: 10) + Array(repeating: Int64.max, count: 10))
        #expect(values.mean == -0.5)
        #expect(values.standardDeviation == 0x1p63)
        #expect(values.roundedStandardDeviation == .max)
        #expect(values.valueAtPercentile(50).map { Double($0) / -0x1p63 > 0.999 } == true)
        #expect(values.buckets.map(\.count) == [10, 10])
        #expect(values.buckets.first?.from == .min)
        #expect(values.buckets.last?.to == .max)
    }

    @Test func `Buckets are in increasing order, do not overlap, and contain every value`() {
        var generator = SplitMix(state: 14)
        let values = (0..<5000).map { _ in Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64) }
        let buckets = histogram(values).buckets
        #expect(buckets.allSatisfy { $0.from <= $0.to && $0.count > 0 })
        #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.to < $1.from })
        #expect(buckets.reduce(0) { $0 + $1.count } == 5000)
        for bucket in buckets {
            #expect(UInt64(values.count { bucket.from <= $0 && $0 <= bucket.to }) == bucket.count)
        }
    }

    @Test func `A bucket's width is at most a thousandth of its values`() {
        let buckets = histogram((0..<63).flatMap { [Int64.max >> $0, Int64.min >> $0] }).buckets
        for bucket in buckets {
            let width = Double(bucket.to) - Double(bucket.from)
            #expect(width <= Double(min(bucket.from.magnitude, bucket.to.magnitude)) / 1000)
        }
    }

    @Test func `A bucket has the same bounds whatever else was recorded`() {
        let small = histogram([1_000_000]).buckets
        let large = histogram([1_000_000, 1_000_000_000_000]).buckets
        #expect(small.first == large.first)
        #expect(small.first.map { $0.from < $0.to } == true)
    }

    @Test func `Merged histograms equal one histogram of all values`() {
        var generator = SplitMix(state: 15)
        let values = (0..<3000).map { _ in Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64) }
        var merged = histogram(values[..<1000])
        merged.merge(histogram(values[1000..<1001]))
        merged.merge(SignedHistogram())
        merged.merge(histogram(values[1001...]))
        let whole = histogram(values)
        #expect(merged.buckets == whole.buckets)
        #expect(merged.count == whole.count)
        #expect(merged.min == whole.min)
        #expect(merged.max == whole.max)
        #expect(merged.mean == whole.mean)
        #expect(merged.standardDeviation == whole.standardDeviation)
    }

    @Test func `Merging into an empty histogram copies the values`() {
        let source = histogram([5, -5])
        var target = SignedHistogram()
        target.merge(source)
        target.record(9)
        #expect(target.buckets.map(\.from) == [-5, 5, 9])
        #expect(source.buckets.map(\.from) == [-5, 5])
    }

    @Test func `A reset histogram equals a new one`() {
        var values = histogram([5, -5, 1_000_000])
        values.reset()
        #expect(values.isEmpty)
        #expect(values.min == nil)
        #expect(values.buckets.isEmpty)
        values.record(7)
        #expect(values.min == 7)
        #expect(values.max == 7)
        #expect(values.standardDeviation == 0)
        #expect(values.valueAtPercentile(50) == 7)
    }

    @Test(
        arguments: [
            (2047, 2047, 2047), (2048, 2048, 2049), (4095, 4094, 4095), (4096, 4096, 4099),
            (1_000_000, 999_936, 1_000_447),
            (Int64.max, 0x7FF0_0000_0000_0000, Int64.max), (-2048, -2048, -2048), (-2049, -2050, -2049),
            (Int64.min, Int64.min, -0x7FF0_0000_0000_0001),
        ] as [(Int64, Int64, Int64)])
    func `A bucket has the bounds of an HDR histogram with three digits`(value: Int64, from: Int64, to: Int64) {
        #expect(histogram([value]).buckets == [SignedHistogram.Bucket(from: from, to: to, count: 1)])
    }

    @Test func `A count of more than 16 bits is exact, also after a merge and a reset`() {
        var values = histogram(repeatElement(5, count: 200_000))
        values.record(-3)
        values.merge(values)
        #expect(values.buckets.map(\.count) == [2, 400_000])
        #expect(values.valueAtPercentile(50) == 5)
        values.reset()
        values.record(5)
        #expect(values.buckets.map(\.count) == [1])
    }
}
