import CLinux
import Glibc

/// A file, pipe or terminal to write whole byte sequences to. Source: open(2), write(2).
public struct OutputFile: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Creates a file.
    ///
    /// - Parameter replacing: true to overwrite an existing file.
    /// - Throws: ``SystemError``: EEXIST if the file exists and may not be replaced, and the errors of open(2).
    public init(creating path: String, replacing: Bool) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL)
        descriptor = Descriptor(owning: try checkErrno("create the file", open(path, flags, 0o644)))
    }

    private init(duplicating number: Int32) throws(SystemError) {
        descriptor = Descriptor(owning: try checkErrno("duplicate the standard stream", dup(number)))
    }

    public static func standardOutput() throws(SystemError) -> OutputFile { try OutputFile(duplicating: STDOUT_FILENO) }
    public static func standardError() throws(SystemError) -> OutputFile { try OutputFile(duplicating: STDERR_FILENO) }

    /// Returns whether a file of this name exists. Source: access(2).
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// True if the output is a terminal: isatty(3).
    public var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }

    /// Writes all of `bytes`.
    ///
    /// - Throws: ``SystemError``: ENOSPC, EPIPE if the reader is gone, and the errors of write(2).
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBytes { buffer in Result { () throws(SystemError) in try write(buffer) } }.get()
    }

    /// Writes all bytes of a buffer.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var start = 0
        while start < bytes.count { start += try writeOnce(bytes[start...]) }
    }

    /// Writes as much as the reader accepts within `timeout` nanoseconds; the timeout restarts after each part. A pipe
    /// whose reader sleeps, or a stopped terminal, therefore blocks no longer than that.
    ///
    /// - Returns: the number of bytes written.
    /// - Throws: ``SystemError``: ENOSPC, EPIPE, and the errors of write(2).
    public func write(_ bytes: [UInt8], timeout: Int64) throws(SystemError) -> Int {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try write(buffer, timeout: timeout) }
        }.get()
    }

    /// Writes the bytes of a buffer with a timeout.
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

    /// - Returns: the number of bytes written; 0 if a signal interrupted the call.
    private func writeOnce(_ bytes: Slice<UnsafeRawBufferPointer>) throws(SystemError) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: bytes)
        let written = Glibc.write(descriptor.rawValue, rest.baseAddress, rest.count)
        if written >= 0 { return written }
        if errno == EINTR { return 0 }
        throw SystemError("write", code: errno)
    }

    /// The length in bytes of a file written from its start; `nil` for a pipe or a terminal. Source: lseek(2).
    public var position: Int? {
        let position = lseek(descriptor.rawValue, 0, SEEK_CUR)
        return position >= 0 ? position : nil
    }

    /// Truncates the file to `length` bytes. Source: ftruncate(2).
    public func truncate(to length: Int) throws(SystemError) {
        try checkErrno("truncate the file", ftruncate(descriptor.rawValue, length))
    }

    /// Opens /dev/null for each standard stream that is closed. Call this before anything is opened: otherwise the next
    /// socket or file gets the free number and receives the printed text.
    public static func fillStandardStreams() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Makes writes to a closed pipe fail with EPIPE instead of ending the process. Source: SIGPIPE in signal(7).
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
