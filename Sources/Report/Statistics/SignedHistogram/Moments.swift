/// Exact sums of values and of their squares, with the mean and standard deviation.
///
/// The sum of squares has 192 bits, and the variance is computed in 256. A relative delay of hours with a variation of
/// nanoseconds loses nothing to cancellation, and the order of recording and merging does not matter.
struct Moments: Sendable, Hashable {
    private(set) var count: UInt64 = 0
    private var sum: Int128 = 0
    private var squaresLow: UInt128 = 0
    private var squaresHigh: UInt64 = 0

    @inline(__always)
    mutating func add(_ value: Int64) {
        count &+= 1
        sum &+= Int128(value)
        let square = value.magnitude.multipliedFullWidth(by: value.magnitude)
        addSquares(low: UInt128(square.high) << 64 | UInt128(square.low), high: 0)
    }

    mutating func merge(_ other: Moments) {
        count &+= other.count
        sum &+= other.sum
        addSquares(low: other.squaresLow, high: other.squaresHigh)
    }

    @inline(__always)
    private mutating func addSquares(low: UInt128, high: UInt64) {
        let (value, carry) = squaresLow.addingReportingOverflow(low)
        squaresLow = value
        squaresHigh = squaresHigh &+ high &+ (carry ? 1 : 0)
    }

    var mean: Double? { count == 0 ? nil : Double(sum) / Double(count) }

    /// The mean in whole nanoseconds, halves away from zero.
    var roundedMean: Int64? {
        guard count > 0 else { return nil }
        let magnitude = (sum.magnitude &+ UInt128(count / 2)) / UInt128(count)
        let value = Int128(truncatingIfNeeded: magnitude)
        return Int64(clamping: sum < 0 ? 0 &- value : value)
    }

    /// sqrt(n * sum(x^2) - sum(x)^2) / n.
    var standardDeviation: Double? {
        guard count > 0 else { return nil }
        let wide = squaresLow.multipliedFullWidth(by: UInt128(count))
        let top = wide.high &+ UInt128(squaresHigh) &* UInt128(count)
        let mean = sum.magnitude.multipliedFullWidth(by: sum.magnitude)
        let (low, borrow) = wide.low.subtractingReportingOverflow(mean.low)
        let high = top &- mean.high &- (borrow ? 1 : 0)
        let variance = Double(high) * 0x1p128 + Double(low)
        return variance.squareRoot() / Double(count)
    }

    var roundedStandardDeviation: Int64? {
        guard let rounded = standardDeviation?.rounded() else { return nil }
        return Int64(exactly: rounded) ?? Int64.max
    }
}
