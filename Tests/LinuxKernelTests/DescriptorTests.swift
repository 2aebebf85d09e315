import Glibc
import Testing

@testable import LinuxKernel

@Suite struct DescriptorTests {
    /// Returns whether the other end of the pipe is closed. Testing the closed number itself would race with other
    /// threads, which may reuse it.
    private func isPeerGone(_ reader: Int32) -> Bool {
        var entry = pollfd(fd: reader, events: 0, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
    }

    private func pipeEnds() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `the descriptor is open during its owner's lifetime and closed afterwards`() throws {
        let (reader, writer) = try pipeEnds()
        let owner = Descriptor(owning: reader)
        do {
            let inner = Descriptor(owning: writer)
            #expect(fcntl(inner.rawValue, F_GETFD) >= 0)
            #expect(!isPeerGone(owner.rawValue))
        }
        #expect(isPeerGone(owner.rawValue))
    }

    @Test func `moving the owner moves the descriptor with it`() throws {
        let (reader, writer) = try pipeEnds()
        let owner = Descriptor(owning: reader)
        func consume(_ descriptor: consuming Descriptor) -> Bool {
            let isOpen = fcntl(descriptor.rawValue, F_GETFD) >= 0
            return isOpen
        }
        let inner = Descriptor(owning: writer)
        let wasOpen = consume(inner)
        #expect(wasOpen)
        #expect(isPeerGone(owner.rawValue))
    }

    @Test func `a negative descriptor closes nothing`() throws {
        let (reader, writer) = try pipeEnds()
        let owner = Descriptor(owning: reader)
        let other = Descriptor(owning: writer)
        do { _ = Descriptor(owning: -1) }
        #expect(!isPeerGone(owner.rawValue))
        #expect(fcntl(other.rawValue, F_GETFD) >= 0)
    }

    @Test func `a socket is close-on-exec and does not block`() throws {
        let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        #expect(fcntl(socket.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(socket.rawValue, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func `a socket of an unknown family throws EAFNOSUPPORT`() {
        let error = #expect(throws: SystemError.self) {
            let socket = try Descriptor(socket: 9999, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
            _ = socket.rawValue
        }
        #expect(error?.code == EAFNOSUPPORT)
    }
}

@Suite struct SystemErrorTests {
    @Test func `the text is the operation and the reason`() {
        #expect(
            SystemError("bind the socket", code: EADDRINUSE).description == "bind the socket: Address already in use")
    }

    @Test func `the text ends with the remedy`() {
        let error = SystemError("open a packet socket", code: EPERM).advising("Run as root.")
        #expect(error.description == "open a packet socket: Operation not permitted. Run as root.")
    }

    @Test func `errors are equal by operation and errno, whatever the remedy`() {
        let error = SystemError("bind", code: EPERM)
        #expect(error == error.advising("Run as root."))
        #expect(error != SystemError("bind", code: EACCES))
        #expect(error != SystemError("send", code: EPERM))
    }

    @Test func `a wrapper's negative result becomes the errno`() throws {
        let error = #expect(throws: SystemError.self) { try check("try", -ENOENT) }
        #expect(error?.code == ENOENT)
        #expect(try check("try", 3) == 3)
    }

    @Test func `a C library function's negative result takes errno`() throws {
        let error = #expect(throws: SystemError.self) { try checkErrno("close", close(-1)) }
        #expect(error?.code == EBADF)
        #expect(try checkErrno("try", 0) == 0)
    }
}
