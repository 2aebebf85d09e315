/// A hardware clock's time and the system's, read as nearly at one moment as the kernel can.
public struct ClockReading: Hashable, Sendable {
    /// How the kernel read the two clocks. Source: linux/ptp_clock.h.
    public enum Method: String, Hashable, Sendable, CaseIterable {
        /// Both at one moment, by the hardware: PTP_SYS_OFFSET_PRECISE.
        case precise
        /// The system's clock directly before and after the register that holds the time: PTP_SYS_OFFSET_EXTENDED.
        case extended
        /// The system's clock before and after the driver's whole call: PTP_SYS_OFFSET.
        case plain
    }

    /// The hardware clock, nanoseconds since its own epoch.
    public var hardware: Int64
    /// CLOCK_REALTIME nanoseconds: the middle between the readings before and after.
    public var realtime: Int64
    /// How far off ``realtime`` can be at most, in nanoseconds: half of what lies between the two readings, and one for
    /// the rounding.
    public var error: Int64
    public var method: Method

    /// A reading, in nanoseconds as the properties have them: ``HardwareClock/read()`` makes them.
    public init(hardware: Int64, realtime: Int64, error: Int64, method: Method) {
        self.hardware = hardware
        self.realtime = realtime
        self.error = error
        self.method = method
    }

    /// The system's clock before, the hardware's, the system's after.
    struct Bracket: Hashable, Sendable {
        var before: Int64
        var hardware: Int64
        var after: Int64
    }

    /// The best of several readings: the shortest one. `nil` without one, or where the system's clock went back in
    /// each.
    init?(shortestOf brackets: some Sequence<Bracket>, method: Method) {
        let sound = brackets.filter {
            $0.after >= $0.before && !$0.after.subtractingReportingOverflow($0.before).overflow
        }
        guard let best = sound.min(by: { $0.after - $0.before < $1.after - $1.before }) else { return nil }
        let width = best.after - best.before
        self.init(
            hardware: best.hardware, realtime: best.before + width / 2, error: (width + 1) / 2 + 1, method: method)
    }
}
