import LinuxKernel
import Synchronization

extension PacketConn {
    /// When calls that receive packets or transmit timestamps give up with ETIMEDOUT, those that wait now included.
    ///
    /// - Parameter time: CLOCK_MONOTONIC nanoseconds (`ClockID.monotonic.now()`); `nil` waits for ever.
    public func setReadDeadline(monotonic time: Int64?) {
        readDeadline.store(time ?? .max, ordering: .releasing)
        nudge.raise()
    }

    /// When calls that send give up with ETIMEDOUT, those that wait now included.
    ///
    /// - Parameter time: CLOCK_MONOTONIC nanoseconds; `nil` waits for ever.
    public func setWriteDeadline(monotonic time: Int64?) {
        writeDeadline.store(time ?? .max, ordering: .releasing)
        nudge.raise()
    }

    /// Both deadlines, on both halves.
    public func setDeadline(monotonic time: Int64?) {
        setReadDeadline(monotonic: time)
        setWriteDeadline(monotonic: time)
    }
}
