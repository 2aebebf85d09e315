import CLinux
import Glibc

extension Descriptor {
    /// Waits for input, an error or a hang-up on the descriptor, or for the timeout. Source: poll(2).
    ///
    /// - Parameter timeout: nanoseconds; negative: wait without a limit.
    /// - Returns: true if one of the events occurred; false after the timeout or a signal.
    public func waitForInput(timeout: Int64) throws(SystemError) -> Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        let ready = cl_ppoll(&entry, 1, timeout)
        if ready == -EINTR { return false }
        return try check("wait for input", ready) > 0
    }
    /// Waits for input, an error or a hang-up on one of several descriptors, or for the timeout. Source: poll(2).
    ///
    /// - Parameter timeout: nanoseconds; negative: wait without a limit.
    /// - Returns: true if one of the events occurred; false after the timeout or a signal.
    package static func waitForInput(onAny descriptors: [Int32], timeout: Int64) throws(SystemError) -> Bool {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let ready = entries.withUnsafeMutableBufferPointer {
            cl_ppoll($0.baseAddress, UInt32(clamping: $0.count), timeout)
        }
        if ready == -EINTR { return false }
        return try check("wait for input", ready) > 0
    }
}
