/// Follows a hardware clock by its readings, and splits where one of the two clocks was set: nothing is averaged across a
/// step.
public struct ClockTracker: Sendable {
    /// What a reading says of the time since the last one.
    public enum Course: Hashable, Sendable {
        /// The first one since the start, a step, or a change of a clock's rate beyond what steering does.
        case begins
        case steady
        /// One of the two clocks was set: by so many nanoseconds CLOCK_REALTIME is ahead of where the line had it.
        case stepped(by: Int64)
    }

    /// What a daemon that may not step does to a clock: chronyd slews by up to 83,333 ppm (maxslewrate). More is a step.
    private static let slewing = 0.1
    /// Rates of a clock that runs at all, beside the other.
    private static let sound = 0.1...10
    /// Readings that a line is drawn through.
    private static let window = 16
    /// What steering may do to a clock between two readings: 500 ppm, the most that adjtimex(2) slews by, and never less
    /// than 10 us, which readings of a busy machine scatter by.
    private static let steering = 500e-6
    private static let leastTolerance = 10_000.0

    private var readings: [ClockReading] = []
    /// The line through the readings; `nil` before there are two of them.
    public private(set) var model: ClockModel?

    /// A tracker that has seen no reading.
    public init() {}

    /// Enters a reading, which must be later than the last.
    public mutating func add(_ reading: ClockReading) -> Course {
        if let last = readings.last {
            switch judge(reading, after: last) {
            case .steady:
                break
            case .begins:
                readings = []
            case .stepped(let step):
                readings = [reading]
                model = nil
                return .stepped(by: step)
            }
            // Two readings at one moment make no line.
            if reading.hardware == last.hardware { return .steady }
        }
        if readings.count == Self.window { readings.removeFirst() }
        readings.append(reading)
        model = Self.line(through: readings)
        return readings.count == 1 ? .begins : .steady
    }

    /// Whether the clocks have kept to the line, as far as errors and steering explain.
    private func judge(_ reading: ClockReading, after last: ClockReading) -> Course {
        let (hardware, isHardwareOver) = reading.hardware.subtractingReportingOverflow(last.hardware)
        let (realtime, isRealtimeOver) = reading.realtime.subtractingReportingOverflow(last.realtime)
        if isHardwareOver || isRealtimeOver { return .stepped(by: .max) }
        // The hardware clock was set back.
        let gain = realtime.subtractingReportingOverflow(hardware).partialValue
        if hardware < 0 { return .stepped(by: gain) }
        // Of two readings alone the rate is not known, but what no clock runs at.
        guard let model else {
            if hardware == 0, realtime >= 0 { return .steady }
            return Self.sound.contains(Double(realtime) / Double(hardware)) ? .steady : .stepped(by: gain)
        }
        let deviation = Double(realtime) - Double(hardware) * model.rate
        let tolerance =
            Double(hardware) * model.rateError + Double(last.error) + Double(reading.error) + Double(model.wander)
            + max(Self.leastTolerance, Double(hardware) * model.rate * Self.steering)
        if abs(deviation) <= tolerance { return .steady }
        if abs(deviation) <= Double(hardware) * model.rate * Self.slewing { return .begins }
        return .stepped(by: Int64(exactly: deviation.rounded()) ?? .max)
    }

    /// The line from the first reading to the last, and how far those between lie off it.
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

    /// Subtracted as integers: as doubles, times of day are whole multiples of 256 ns.
    private static func distance(from start: Int64, to end: Int64) -> Double? {
        let (difference, overflow) = end.subtractingReportingOverflow(start)
        return overflow ? nil : Double(difference)
    }
}
