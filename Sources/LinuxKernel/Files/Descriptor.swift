import Glibc

/// The owner of one file descriptor, which closes it exactly once, at the end of its lifetime.
///
/// A negative number means "none" and closes nothing. Source: close(2).
public struct Descriptor: ~Copyable, Sendable {
    public let rawValue: Int32

    /// Takes ownership of a descriptor that nothing else closes.
    public init(owning rawValue: Int32) { self.rawValue = rawValue }

    /// Opens a socket, close-on-exec and non-blocking.
    ///
    /// - Throws: ``SystemError`` with socket(2)'s errno.
    public init(socket domain: Int32, type: Int32, protocol number: Int32) throws(SystemError) {
        let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        rawValue = try checkErrno("open a socket", socket(domain, type | flags, number))
    }

    deinit { if rawValue >= 0 { close(rawValue) } }
}
