import Foundation
import Glibc
import LinuxKernel

/// A packet socket that shares no code with the endpoints under test.
///
/// Sources: packet(7), socket(7), linux/if_packet.h.
struct RawSocket: ~Copyable, Sendable {
    /// A frame that the socket captured.
    struct Received: Sendable {
        let bytes: [UInt8]
        /// CLOCK_REALTIME in nanoseconds, from SCM_TIMESTAMPNS.
        let stamp: Int64?
        /// True if this host sent it (PACKET_OUTGOING).
        let isOutgoing: Bool
    }

    let descriptor: Int32

    /// Opens a socket that captures all frames of an interface, sent and received, with kernel timestamps.
    init(namespace: String, interface: String) throws {
        descriptor = try NetworkNamespace.enter(namespace) { () throws(SystemError) in
            try Self.open(interface)
        }
    }

    deinit { close(descriptor) }

    private static func open(_ interface: String) throws(SystemError) -> Int32 {
        let anyProtocol = UInt16(0x0003).bigEndian
        // With protocol 0 the socket receives nothing before bind(2) names the interface.
        let descriptor = try checkErrno(
            "open the test's packet socket", socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var size: Int32 = 4 << 20
        var on: Int32 = 1
        let length = socklen_t(MemoryLayout<Int32>.size)
        try checkErrno("set SO_RCVBUFFORCE", setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length))
        try checkErrno("set SO_TIMESTAMPNS", setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, length))
        let index = if_nametoindex(interface)
        guard index > 0 else { throw SystemError("find the interface", code: errno) }
        // struct sockaddr_ll: family, protocol, ifindex, and 12 bytes that bind(2) does not read.
        var address = [UInt8](repeating: 0, count: 20)
        address.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt16(AF_PACKET), toByteOffset: 0, as: UInt16.self)
            bytes.storeBytes(of: anyProtocol, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: Int32(index), toByteOffset: 4, as: Int32.self)
        }
        let result = address.withUnsafeBytes { bytes in
            bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), 20)
        }
        try checkErrno("bind the test's packet socket", result)
        return descriptor
    }

    /// Waits until a frame arrives, `stop` is readable or the time has passed.
    ///
    /// - Parameters:
    ///   - nanoseconds: A negative time waits without a limit.
    ///   - stop: A descriptor; -1 for none.
    func wait(nanoseconds: Int64, orUntil stop: Int32 = -1) {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        // Rounded down: for the last fraction of a millisecond, callers poll.
        _ = poll(&descriptors, 2, nanoseconds < 0 ? -1 : Int32(nanoseconds / 1_000_000))
    }

    /// Returns the next captured frame, or `nil` if there is none.
    func receive() -> Received? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        var control = [UInt64](repeating: 0, count: 32)
        var address = [UInt8](repeating: 0, count: 20)
        var controlLength = 0
        let length = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                address.withUnsafeMutableBytes { address in
                    var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                    return withUnsafeMutablePointer(to: &vector) { vector in
                        var message = msghdr()
                        message.msg_name = address.baseAddress
                        message.msg_namelen = 20
                        message.msg_iov = vector
                        message.msg_iovlen = 1
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                        let length = recvmsg(descriptor, &message, Int32(MSG_DONTWAIT))
                        controlLength = message.msg_controllen
                        return length
                    }
                }
            }
        }
        guard length >= 0 else { return nil }
        let stamp = control.withUnsafeBytes { Self.stamp(UnsafeRawBufferPointer(rebasing: $0[..<controlLength])) }
        return Received(bytes: Array(bytes[..<length]), stamp: stamp, isOutgoing: address[10] == 4)
    }

    /// The SCM_TIMESTAMPNS control message, in nanoseconds. On 64-bit hosts a control message is length, level, type,
    /// data.
    private static func stamp(_ control: UnsafeRawBufferPointer) -> Int64? {
        var offset = 0
        while offset + 16 <= control.count {
            let length = control.loadUnaligned(fromByteOffset: offset, as: Int.self)
            let level = control.loadUnaligned(fromByteOffset: offset + 8, as: Int32.self)
            let type = control.loadUnaligned(fromByteOffset: offset + 12, as: Int32.self)
            if level == SOL_SOCKET, type == SO_TIMESTAMPNS, length >= 32 {
                let seconds = control.loadUnaligned(fromByteOffset: offset + 16, as: Int64.self)
                return seconds * 1_000_000_000 + control.loadUnaligned(fromByteOffset: offset + 24, as: Int64.self)
            }
            guard length >= 16 else { return nil }
            offset += (length + 7) & ~7
        }
        return nil
    }

    /// Sends a frame unchanged.
    func send(_ frame: [UInt8]) { _ = Glibc.send(descriptor, frame, frame.count, 0) }
}

/// A thread, and a descriptor that becomes readable when the thread must end.
final class TestThread: Sendable {
    private let ends: (read: Int32, write: Int32)
    private let finished = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable (_ stop: Int32) -> Void) {
        var pair: [Int32] = [-1, -1]
        pipe(&pair)
        for descriptor in pair { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        ends = (pair[0], pair[1])
        Thread.detachNewThread { [stop = pair[0], finished] in
            body(stop)
            finished.signal()
        }
    }

    /// True if the thread that received `stop` must end.
    static func mustEnd(_ stop: Int32) -> Bool {
        var descriptor = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) != 0
    }

    /// Makes the thread end, and waits until it has ended.
    func end() {
        // Closing alone is not enough: a program started between pipe() and fcntl() may hold the pipe open.
        _ = write(ends.write, [1], 1)
        finished.wait()
        close(ends.write)
        close(ends.read)
    }
}
