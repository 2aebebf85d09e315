/// The time of a hardware clock and of the system clock, read as close to one instant as the kernel can.
public struct ClockReading: Hashable, Sendable {
    /// The method by which the kernel reads the two clocks. Source: linux/ptp_clock.h.
    public enum Method: String, Hashable, Sendable, CaseIterable {
        /// The hardware captures both at one instant: PTP_SYS_OFFSET_PRECISE.
        case precise
        /// The system clock is read directly before and after the register that holds the time:
        /// PTP_SYS_OFFSET_EXTENDED.
        case extended
        /// The system clock is read before and after the driver's whole call: PTP_SYS_OFFSET.
        case plain
    }

    /// The hardware clock in nanoseconds since its epoch.
    public var hardware: Int64
    /// CLOCK_REALTIME in nanoseconds, halfway between the readings before and after.
    public var realtime: Int64
    /// The largest error of ``realtime``, in nanoseconds: half the time between the two readings, plus one for
    /// rounding.
    public var error: Int64
    public var method: Method

    /// Creates a reading from values in the units of the properties. ``HardwareClock/read()`` measures them.
    public init(hardware: Int64, realtime: Int64, error: Int64, method: Method) {
        self.hardware = hardware
        self.realtime = realtime
        self.error = error
        self.method = method
    }

    /// The hardware clock between two readings of the system clock.
    struct Bracket: Hashable, Sendable {
        var before: Int64
        var hardware: Int64
        var after: Int64
    }

    /// Selects the shortest of several readings. Returns `nil` if there is none, or if the system clock went back in
    /// each.
    init?(shortestOf brackets: some Sequence<Bracket>, method: Method) {
        let valid = brackets.filter {
            $0.after >= $0.before && !$0.after.subtractingReportingOverflow($0.before).overflow
        }
        guard let best = valid.min(by: { $0.after - $0.before < $1.after - $1.before }) else { return nil }
        let width = best.after - best.before
        self.init(
            hardware: best.hardware, realtime: best.before + width / 2, error: (width + 1) / 2 + 1, method: method)
    }
}
