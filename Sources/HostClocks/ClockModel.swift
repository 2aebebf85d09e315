/// How a hardware clock runs beside CLOCK_REALTIME: a straight line with its bounds, for timestamps not far from ``anchor``.
public struct ClockModel: Hashable, Sendable {
    /// A reading on the line: the newest.
    public var anchor: ClockReading
    /// Nanoseconds of CLOCK_REALTIME for each of the hardware clock: 1 for a clock that keeps time.
    public var rate: Double
    /// How far off ``rate`` can be, as far as the readings bound it.
    public var rateError: Double
    /// How far off the line a reading was beyond its own error, in nanoseconds: clocks that are steered do not run straight.
    public var wander: Int64

    /// A line with its bounds, in the units of the properties: ``ClockTracker`` draws them.
    public init(anchor: ClockReading, rate: Double, rateError: Double, wander: Int64) {
        self.anchor = anchor
        self.rate = rate
        self.rateError = rateError
        self.wander = wander
    }

    /// Beyond so many nanoseconds from the anchor, about a day, there is no saying.
    private static let longestDistance = 1e14

    /// A hardware timestamp as CLOCK_REALTIME nanoseconds, and the bound of its error: the anchor's own, the wander, and the
    /// rate's over the time between. `nil` where the timestamp is too far away.
    ///
    /// The bound holds while neither clock is steered otherwise than it was between the readings: a rate that changes by
    /// 1 ppm afterwards adds a nanosecond for each millisecond from the anchor.
    public func realtime(ofHardware stamp: Int64) -> (time: Int64, error: Int64)? {
        let (distance, overflow) = stamp.subtractingReportingOverflow(anchor.hardware)
        guard !overflow, abs(Double(distance)) <= Self.longestDistance else { return nil }
        let step = (Double(distance) * rate).rounded()
        let spread = (abs(Double(distance)) * rateError).rounded(.up)
        guard abs(step) <= 100 * Self.longestDistance, spread <= 100 * Self.longestDistance else { return nil }
        let (time, isOver) = anchor.realtime.addingReportingOverflow(Int64(step))
        let (own, isLocalOver) = anchor.error.addingReportingOverflow(wander)
        let (error, isErrorOver) = own.addingReportingOverflow(Int64(spread))
        return isOver || isLocalOver || isErrorOver ? nil : (time, error)
    }
}
