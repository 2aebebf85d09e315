/// A linear model of a hardware clock against CLOCK_REALTIME, with error bounds, for timestamps near ``anchor``.
public struct ClockModel: Hashable, Sendable {
    /// The newest reading, which lies on the line.
    public var anchor: ClockReading
    /// CLOCK_REALTIME nanoseconds per nanosecond of the hardware clock; 1 if both run at the same rate.
    public var rate: Double
    /// The largest error of ``rate`` that the readings allow.
    public var rateError: Double
    /// The largest distance of a reading from the line beyond the reading's error, in nanoseconds. A steered clock does
    /// not follow a straight line.
    public var wander: Int64

    /// Creates a model from values in the units of the properties. ``ClockTracker`` computes them.
    public init(anchor: ClockReading, rate: Double, rateError: Double, wander: Int64) {
        self.anchor = anchor
        self.rate = rate
        self.rateError = rateError
        self.wander = wander
    }

    /// The longest distance from the anchor that the model covers, in nanoseconds: about a day.
    private static let longestDistanceNanoseconds = 1e14

    /// Converts a hardware timestamp to CLOCK_REALTIME nanoseconds with an error bound: the anchor's error, the wander,
    /// and the rate error over the distance from the anchor. Returns `nil` if the timestamp is too far away.
    ///
    /// The bound holds while both clocks are steered as they were between the readings. If the rate changes later by 1
    /// ppm, the error grows by a nanosecond per millisecond from the anchor.
    public func realtime(ofHardware stamp: Int64) -> (time: Int64, error: Int64)? {
        let (distance, overflow) = stamp.subtractingReportingOverflow(anchor.hardware)
        guard !overflow, abs(Double(distance)) <= Self.longestDistanceNanoseconds else { return nil }
        let step = (Double(distance) * rate).rounded()
        let spread = (abs(Double(distance)) * rateError).rounded(.up)
        guard abs(step) <= 100 * Self.longestDistanceNanoseconds, spread <= 100 * Self.longestDistanceNanoseconds else {
            return nil
        }
        let (time, isOver) = anchor.realtime.addingReportingOverflow(Int64(step))
        let (baseError, isBaseErrorOver) = anchor.error.addingReportingOverflow(wander)
        let (error, isErrorOver) = baseError.addingReportingOverflow(Int64(spread))
        return isOver || isBaseErrorOver || isErrorOver ? nil : (time, error)
    }
}
