import CLinux
import Glibc

/// A kernel clock. Source: clock_gettime(2).
public enum ClockID: Sendable {
    /// Time of day: what software timestamps and the wire carry. Steps and slews.
    case realtime
    /// Never steps: deadlines and pacing.
    case monotonic
    /// As monotonic, and goes on while the machine sleeps: its distance from realtime changes only when that is set.
    case boottime
    /// International atomic time: time of day without leap seconds, as far as a time daemon has set their number.
    case tai
    /// Processor time of the calling thread.
    case threadCPU

    /// The clock's time in nanoseconds since its epoch. The C library answers without a system call.
    @inlinable
    public func now() -> Int64 {
        var time = timespec()
        switch self {
        case .realtime: clock_gettime(CLOCK_REALTIME, &time)
        case .monotonic: clock_gettime(CLOCK_MONOTONIC, &time)
        case .boottime: clock_gettime(CLOCK_BOOTTIME, &time)
        case .tai: clock_gettime(CLOCK_TAI, &time)
        case .threadCPU: clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        }
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// What the kernel knows of CLOCK_REALTIME's distance from true time. Source: adjtimex(2).
public struct ClockQuality: Hashable, Sendable {
    /// Whether a time daemon holds the clock (STA_UNSYNC is clear).
    public var isSynchronized: Bool
    /// The bound that the daemon and the kernel vouch for, in nanoseconds.
    public var maximumError: Int64
    /// The daemon's estimate, in nanoseconds.
    public var estimatedError: Int64

    /// The quality now; `nil` where adjtimex is forbidden (some containers).
    public static func current() -> ClockQuality? {
        var raw = cl_clock_quality()
        guard withUnsafeMutablePointer(to: &raw, { cl_clock_quality($0) }) == 0 else { return nil }
        return ClockQuality(
            isSynchronized: raw.unsynchronized == 0,
            maximumError: raw.maximum_error_us &* 1000, estimatedError: raw.estimated_error_us &* 1000)
    }
}
