import CLinux
import Glibc

/// A file, pipe or terminal that bytes are written to, whole. Source: open(2), write(2).
public struct OutputFile: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Makes a new file.
    ///
    /// - Parameter replacing: whether an old file may be overwritten.
    /// - Throws: ``SystemError`` EEXIST where it may not, and what open(2) gives.
    public init(creating path: String, replacing: Bool) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL)
        descriptor = Descriptor(owning: try checkErrno("create the file", open(path, flags, 0o644)))
    }

    private init(duplicating number: Int32) throws(SystemError) {
        descriptor = Descriptor(owning: try checkErrno("use the standard stream", dup(number)))
    }

    public static func standardOutput() throws(SystemError) -> OutputFile { try OutputFile(duplicating: STDOUT_FILENO) }
    public static func standardError() throws(SystemError) -> OutputFile { try OutputFile(duplicating: STDERR_FILENO) }

    /// Whether there is something of that name. Source: access(2).
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether somebody watches: isatty(3).
    public var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }

    /// Writes all of `bytes`.
    ///
    /// - Throws: ``SystemError``: ENOSPC, EPIPE where the reader is gone, and what write(2) gives.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBytes { buffer in Result { () throws(SystemError) in try write(buffer) } }.get()
    }

    /// The same for bytes that lie elsewhere.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var start = 0
        while start < bytes.count { start += try writeOnce(bytes[start...]) }
    }

    /// Writes as much as the reader at the other end takes within `timeout` nanoseconds, counted anew after each part.
    /// A pipe whose reader sleeps, or a terminal that was halted, thus holds nobody up.
    ///
    /// - Returns: how many bytes were written.
    /// - Throws: ``SystemError``: ENOSPC, EPIPE, and what write(2) gives.
    public func write(_ bytes: [UInt8], timeout: Int64) throws(SystemError) -> Int {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try write(buffer, timeout: timeout) }
        }.get()
    }

    /// The same for bytes that lie elsewhere.
    package func write(_ bytes: UnsafeRawBufferPointer, timeout: Int64) throws(SystemError) -> Int {
        var start = 0
        while start < bytes.count {
            var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
            guard cl_ppoll(&entry, 1, timeout) > 0 else { break }
            // A pipe that is ready has room for a page.
            start += try writeOnce(bytes[start...].prefix(4096))
        }
        return start
    }

    /// - Returns: how many bytes were written; 0 where a signal came first.
    private func writeOnce(_ bytes: Slice<UnsafeRawBufferPointer>) throws(SystemError) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: bytes)
        let written = Glibc.write(descriptor.rawValue, rest.baseAddress, rest.count)
        if written >= 0 { return written }
        if errno == EINTR { return 0 }
        throw SystemError("write", code: errno)
    }

    /// The bytes that are in a file that was written from its start; `nil` for a pipe or a terminal. Source: lseek(2).
    public var position: Int? {
        let position = lseek(descriptor.rawValue, 0, SEEK_CUR)
        return position >= 0 ? position : nil
    }

    /// Cuts the file off after `length` bytes. Source: ftruncate(2).
    public func cut(after length: Int) throws(SystemError) {
        try checkErrno("cut the file off", ftruncate(descriptor.rawValue, length))
    }

    /// Puts /dev/null in the place of each standard stream that is closed. To be called before anything is opened:
    /// the next socket or file would get the free number, and what is printed would go into that.
    public static func fillStandardStreams() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Lets writes to a closed pipe fail with EPIPE where they would end the process. Source: SIGPIPE in signal(7).
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
