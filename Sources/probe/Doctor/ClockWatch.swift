import HostClocks
import LinuxKernel

/// Reads a PHC several times, and derives its rate against CLOCK_REALTIME.
struct ClockWatch {
    /// Reads the PHC and CLOCK_REALTIME together, like `HardwareClock.read()`.
    typealias Reader = () throws(SystemError) -> ClockReading

    /// The shortest time between the first and the last reading, in nanoseconds. Reading errors are far below a
    /// millionth of it.
    static let span: Int64 = 500_000_000

    private let index: Int32
    private let reader: Result<Reader, SystemError>
    private var tracker = ClockTracker()
    private var readings: [ClockReading] = []
    private var wasSet = false
    private var failure: SystemError?

    /// - Parameters:
    ///   - index: the number of the PHC, as in /dev/ptp0.
    ///   - open: opens the PHC with that number.
    init(index: Int32, _ open: (Int32) throws(SystemError) -> Reader) {
        self.index = index
        reader = Result { () throws(SystemError) in try open(index) }
    }

    /// Reads the clock once.
    mutating func read() {
        do throws(SystemError) {
            let reading = try reader.get()()
            if case .stepped = tracker.add(reading) { wasSet = true }
            readings.append(reading)
        } catch {
            failure = error
        }
    }

    /// The time to wait before the last reading, in nanoseconds.
    var remaining: Int64 {
        guard failure == nil, let first = readings.first, let last = readings.last else { return 0 }
        return max(0, Self.span - (last.realtime - first.realtime))
    }

    var observation: ClockObservation {
        if let failure { return .unreadable(index: index, failure) }
        if wasSet { return .read(index: index, .wasSet) }
        guard let first = readings.first, let last = readings.last, last.realtime > first.realtime else {
            return .read(index: index, .unknown)
        }
        if last.hardware == first.hardware { return .read(index: index, .standsStill) }
        guard let model = tracker.model, model.rate > 0 else { return .read(index: index, .unknown) }
        let rate = 1 / model.rate
        return .read(index: index, .runs(rate: rate, error: rate * rate * model.rateError, method: last.method))
    }
}
