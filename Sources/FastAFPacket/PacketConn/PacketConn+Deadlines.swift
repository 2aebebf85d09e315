import LinuxKernel
import Synchronization

extension PacketConn {
    /// Sets the time after which calls that receive packets or transmit timestamps throw ETIMEDOUT, including calls
    /// that already wait.
    ///
    /// - Parameter time: in CLOCK_MONOTONIC nanoseconds (`ClockID.monotonic.now()`); `nil` waits indefinitely.
    public func setReadDeadline(monotonic time: Int64?) {
        readDeadline.store(time ?? .max, ordering: .releasing)
        wakeUp.raise()
    }

    /// Sets the time after which calls that send throw ETIMEDOUT, including calls that already wait.
    ///
    /// - Parameter time: in CLOCK_MONOTONIC nanoseconds; `nil` waits indefinitely.
    public func setWriteDeadline(monotonic time: Int64?) {
        writeDeadline.store(time ?? .max, ordering: .releasing)
        wakeUp.raise()
    }

    /// Sets both deadlines, on both halves.
    public func setDeadline(monotonic time: Int64?) {
        setReadDeadline(monotonic: time)
        setWriteDeadline(monotonic: time)
    }
}
