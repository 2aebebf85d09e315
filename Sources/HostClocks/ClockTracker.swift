/// Tracks a hardware clock by its readings and starts a new model when one of the two clocks steps: nothing is averaged
/// across a step.
public struct ClockTracker: Sendable {
    /// The conclusion from a reading about the time since the last one.
    public enum Course: Hashable, Sendable {
        /// The first reading since the start or a step, or a rate change beyond what steering does.
        case begins
        case steady
        /// One of the two clocks was set: CLOCK_REALTIME is ahead of the model by this many nanoseconds.
        case stepped(by: Int64)
    }

    /// The largest slew rate of a daemon that may not step the clock: chronyd slews by up to 83,333 ppm (maxslewrate).
    /// A larger deviation is a step.
    private static let maximumSlewRate = 0.1
    /// Plausible rates of one running clock against the other.
    private static let plausibleRates = 0.1...10
    /// The number of readings that a line covers.
    private static let windowSize = 16
    /// The largest effect of steering on a clock between two readings: 500 ppm, the most that adjtimex(2) slews by, and
    /// at least 10 us, by which readings scatter on a busy machine.
    private static let steeringRate = 500e-6
    private static let minimumToleranceNanoseconds = 10_000.0

    private var readings: [ClockReading] = []
    /// The line through the readings; `nil` until there are two.
    public private(set) var model: ClockModel?

    /// Creates a tracker without readings.
    public init() {}

    /// Adds a reading, which must be later than the last.
    public mutating func add(_ reading: ClockReading) -> Course {
        if let last = readings.last {
            switch classify(reading, after: last) {
            case .steady:
                break
            case .begins:
                readings = []
            case .stepped(let step):
                readings = [reading]
                model = nil
                return .stepped(by: step)
            }
            // Two readings at one instant define no line.
            if reading.hardware == last.hardware { return .steady }
        }
        if readings.count == Self.windowSize { readings.removeFirst() }
        readings.append(reading)
        model = Self.line(through: readings)
        return readings.count == 1 ? .begins : .steady
    }

    /// Classifies a reading by whether errors and steering explain its distance from the line.
    private func classify(_ reading: ClockReading, after last: ClockReading) -> Course {
        let (hardware, isHardwareOver) = reading.hardware.subtractingReportingOverflow(last.hardware)
        let (realtime, isRealtimeOver) = reading.realtime.subtractingReportingOverflow(last.realtime)
        if isHardwareOver || isRealtimeOver { return .stepped(by: .max) }
        // The hardware clock was set back.
        let gain = realtime.subtractingReportingOverflow(hardware).partialValue
        if hardware < 0 { return .stepped(by: gain) }
        // One earlier reading gives no rate, so only an implausible rate is a step.
        guard let model else {
            if hardware == 0, realtime >= 0 { return .steady }
            return Self.plausibleRates.contains(Double(realtime) / Double(hardware)) ? .steady : .stepped(by: gain)
        }
        let deviation = Double(realtime) - Double(hardware) * model.rate
        let tolerance =
            Double(hardware) * model.rateError + Double(last.error) + Double(reading.error) + Double(model.wander)
            + max(Self.minimumToleranceNanoseconds, Double(hardware) * model.rate * Self.steeringRate)
        if abs(deviation) <= tolerance { return .steady }
        if abs(deviation) <= Double(hardware) * model.rate * Self.maximumSlewRate { return .begins }
        return .stepped(by: Int64(exactly: deviation.rounded()) ?? .max)
    }

    /// Returns the line from the first reading to the last, with the distance of those between from it.
    private static func line(through readings: [ClockReading]) -> ClockModel? {
        guard let first = readings.first, let last = readings.last,
            let span = distance(from: first.hardware, to: last.hardware), span > 0,
            let elapsed = distance(from: first.realtime, to: last.realtime)
        else { return nil }
        let rate = elapsed / span
        let rateError = (Double(first.error) + Double(last.error)) / span
        var wander = 0.0
        for reading in readings {
            guard let hardware = distance(from: first.hardware, to: reading.hardware),
                let realtime = distance(from: first.realtime, to: reading.realtime)
            else { return nil }
            wander = max(wander, abs(realtime - hardware * rate) - Double(reading.error))
        }
        guard let wander = Int64(exactly: wander.rounded(.up)) else { return nil }
        return ClockModel(anchor: last, rate: rate, rateError: rateError, wander: wander)
    }

    /// Subtracts as integers: as doubles, times of day are multiples of 256 ns.
    private static func distance(from start: Int64, to end: Int64) -> Double? {
        let (difference, overflow) = end.subtractingReportingOverflow(start)
        return overflow ? nil : Double(difference)
    }
}
