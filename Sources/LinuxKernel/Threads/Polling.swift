import CLinux
import Glibc

extension Descriptor {
    /// Waits until the socket has something to read, an error or a hang-up, or the time is over. Source: poll(2).
    ///
    /// - Parameter timeout: nanoseconds; negative waits for ever.
    /// - Returns: whether something happened.
    public func waitForInput(timeout: Int64) throws(SystemError) -> Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        let ready = cl_ppoll(&entry, 1, timeout)
        if ready == -EINTR { return false }
        return try check("wait for input", ready) > 0
    }
}
