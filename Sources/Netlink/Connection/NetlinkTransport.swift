import CLinux
import Glibc
import LinuxKernel

/// The socket operations that a connection needs. Tests replace them to simulate the kernel.
protocol NetlinkTransport: AnyObject {
    /// The port to which the kernel sends answers.
    var portID: UInt32 { get }
    func send(_ message: [UInt8]) throws(SystemError)
    /// Waits for one datagram from the kernel until `deadline` (CLOCK_MONOTONIC nanoseconds); `nil` if it passed.
    func receive(
        into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64
    ) throws(SystemError) -> ReceivedDatagram?
    /// Calls `body` with the socket, to set or read its options; returns `nil` if there is no socket.
    func withSocket<Value>(
        _ body: (borrowing Descriptor) throws(SystemError) -> Value
    ) throws(SystemError) -> Value?
}

/// The metadata of a received datagram.
struct ReceivedDatagram {
    /// Length of the whole datagram in bytes, which may exceed the buffer.
    var length: Int
    var namespaceID: Int32?
}

/// A real netlink socket. Source: netlink(7).
final class SocketTransport: NetlinkTransport {
    let portID: UInt32
    private let descriptor: Descriptor

    init(protocol number: Int32) throws(SystemError) {
        descriptor = try Descriptor(socket: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: number)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let socket = descriptor.rawValue
        let bound = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
            let result = bind(socket, base, length)
            return result < 0 ? result : getsockname(socket, base, &length)
        }
        try checkErrno("bind the netlink socket", bound)
        portID = address.nl_pid
        // Both only improve the answers, and kernels before 4.12 and 5.0 lack them.
        for option in [NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK] {
            do throws(SystemError) {
                try descriptor.setOption(
                    "set a netlink option", level: CL_SOL_NETLINK, name: option, to: Int32(1))
            } catch  where error.code == ENOPROTOOPT {
                continue
            }
        }
    }

    func send(_ message: [UInt8]) throws(SystemError) {
        var kernel = sockaddr_nl()
        kernel.nl_family = sa_family_t(AF_NETLINK)
        let sent = withUnsafeBytes(of: kernel) { bytes in
            Glibc.sendto(
                descriptor.rawValue, message, message.count, 0,
                bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        try checkErrno("send the request", Int32(clamping: sent))
    }

    func receive(
        into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64
    ) throws(SystemError) -> ReceivedDatagram? {
        while true {
            if let received = try receiveNow(into: buffer) { return received }
            let left = deadline - ClockID.monotonic.now()
            if left <= 0 { return nil }
            _ = try descriptor.waitForInput(timeout: left)
        }
    }

    /// Receives a queued datagram from the kernel, if there is one. Datagrams from other processes are discarded.
    private func receiveNow(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> ReceivedDatagram? {
        while true {
            var sender: UInt32 = 0
            var namespaceID: Int32 = -1
            let received = cl_netlink_receive(
                descriptor.rawValue, buffer.baseAddress, buffer.count, &sender, &namespaceID)
            switch Int32(clamping: received) {
            case -EINTR: continue
            case -EAGAIN: return nil
            case let failure where failure < 0: throw SystemError("receive from the kernel", code: -failure)
            default: break
            }
            guard sender == 0 else { continue }
            return ReceivedDatagram(length: Int(received), namespaceID: namespaceID < 0 ? nil : namespaceID)
        }
    }

    func withSocket<Value>(
        _ body: (borrowing Descriptor) throws(SystemError) -> Value
    ) throws(SystemError) -> Value? {
        try body(descriptor)
    }
}

/// A simulated kernel: a function answers each request with datagrams.
final class SimulatedTransport: NetlinkTransport {
    let portID: UInt32
    private let kernel: ([UInt8]) -> [[UInt8]]
    private var queue: [[UInt8]]

    init(portID: UInt32, notifications: [[UInt8]], kernel: @escaping ([UInt8]) -> [[UInt8]]) {
        self.portID = portID
        self.kernel = kernel
        queue = notifications
    }

    func send(_ message: [UInt8]) { queue += kernel(message) }

    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64) -> ReceivedDatagram? {
        guard !queue.isEmpty else { return nil }
        let datagram = queue.removeFirst()
        buffer.copyBytes(from: datagram.prefix(buffer.count))
        return ReceivedDatagram(length: datagram.count)
    }

    func withSocket<Value>(_ body: (borrowing Descriptor) throws(SystemError) -> Value) -> Value? { nil }
}
