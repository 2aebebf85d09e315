import CLinux
import Glibc

/// A level-triggered signal that the kernel raises at a time of CLOCK_MONOTONIC. Source: timerfd_create(2).
public struct TimerSignal: ~Copyable, Sendable {
    public let descriptor: Descriptor
    /// The time that it is set to.
    private var time: Int64 = 0

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try check("create a timer", cl_timerfd_create()))
    }

    /// Sets the time, and clears the signal. A time after the one that is set and has not passed is not needed yet, and
    /// saves the call: the signal is then raised too early, and set again.
    ///
    /// - Parameters:
    ///   - deadline: in CLOCK_MONOTONIC nanoseconds.
    ///   - now: the present, by the same clock.
    public mutating func set(to deadline: Int64, _ now: Int64) {
        if time <= deadline, time > now { return }
        time = deadline
        _ = cl_timerfd_set(descriptor.rawValue, deadline)
    }
}
