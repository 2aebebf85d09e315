import CLinux
import Glibc

/// A kernel clock. Source: clock_gettime(2).
public enum ClockID: Sendable {
    /// Time of day, which kernel timestamps and packets carry. It steps and slews.
    case realtime
    /// A clock that never steps, for deadlines and intervals.
    case monotonic
    /// The monotonic clock plus time in suspend. Its offset from realtime changes only when that clock is set.
    case boottime
    /// International Atomic Time: time of day without leap seconds, if a time daemon has set their number.
    case tai
    /// Processor time of the calling thread.
    case threadCPU

    /// Returns the time in nanoseconds since the clock's epoch. The C library answers without a system call.
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

/// The kernel's estimate of CLOCK_REALTIME's distance from true time. Source: adjtimex(2).
public struct ClockQuality: Hashable, Sendable {
    /// True if a time daemon keeps the clock synchronised (STA_UNSYNC is clear).
    public var isSynchronized: Bool
    /// The error bound from the daemon and the kernel, in nanoseconds.
    public var maximumError: Int64
    /// The daemon's error estimate, in nanoseconds.
    public var estimatedError: Int64

    /// Returns the current quality; `nil` if adjtimex is forbidden, as in some containers.
    public static func current() -> ClockQuality? {
        var raw = cl_clock_quality()
        guard withUnsafeMutablePointer(to: &raw, { cl_clock_quality($0) }) == 0 else { return nil }
        return ClockQuality(
            isSynchronized: raw.unsynchronized == 0,
            maximumError: raw.maximum_error_us &* 1000, estimatedError: raw.estimated_error_us &* 1000)
    }
}
