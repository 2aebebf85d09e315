import CLinux
import Glibc
import Kernel

/// What a connection needs of a socket: the seam at which tests play the kernel.
protocol NetlinkTransport: AnyObject {
    /// The port that the kernel answers to.
    var portID: UInt32 { get }
    func send(_ message: [UInt8]) throws(SystemError)
    /// Waits for one datagram of the kernel's until `deadline` (CLOCK_MONOTONIC, nanoseconds).
    ///
    /// - Returns: its whole length, which may be more than was stored; `nil` when the time is over.
    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64) throws(SystemError) -> Int?
    func join(group: UInt32) throws(SystemError)
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
        // Both only better the answers, and old kernels lack them (4.12, 5.0).
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

    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64) throws(SystemError) -> Int? {
        while true {
            if let length = try receiveNow(into: buffer) { return length }
            let left = deadline - ClockID.monotonic.now()
            if left <= 0 { return nil }
            _ = try descriptor.waitForInput(timeout: left)
        }
    }

    /// One datagram of the kernel's if there is one already. What other processes send is thrown away.
    private func receiveNow(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
        while true {
            var source = sockaddr_nl()
            var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let received = withUnsafeMutableBytes(of: &source) { bytes in
                recvfrom(
                    descriptor.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC),
                    bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            if received < 0, errno == EINTR { continue }
            if received < 0, errno == EAGAIN { return nil }
            try checkErrno("receive the answer", Int32(clamping: received))
            if source.nl_pid == 0 { return received }
        }
    }

    func join(group: UInt32) throws(SystemError) {
        try descriptor.setOption(
            "join the netlink group", level: CL_SOL_NETLINK, name: NETLINK_ADD_MEMBERSHIP, to: Int32(bitPattern: group))
    }
}

/// A kernel that a function plays: it gets each request and gives the datagrams of the answer.
final class PlayedTransport: NetlinkTransport {
    let portID: UInt32
    private let kernel: ([UInt8]) -> [[UInt8]]
    private var queue: [[UInt8]] = []

    init(portID: UInt32, kernel: @escaping ([UInt8]) -> [[UInt8]]) {
        self.portID = portID
        self.kernel = kernel
    }

    func send(_ message: [UInt8]) { queue += kernel(message) }

    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64) -> Int? {
        guard !queue.isEmpty else { return nil }
        let datagram = queue.removeFirst()
        buffer.copyBytes(from: datagram.prefix(buffer.count))
        return datagram.count
    }

    func join(group: UInt32) {}
}
