import CLinux
import Glibc
import LinuxKernel

/// A netlink socket of the network namespace in which it was opened, with a preallocated buffer.
///
/// It handles one request at a time and is not for concurrent use by two threads. Use separate connections for requests
/// and notifications: a request discards the notifications that arrive before its answer. Source: netlink(7).
public final class NetlinkConnection {
    /// The time that a request waits for the next part of its answer.
    package var timeoutNanoseconds: Int64 = 2_000_000_000
    /// Size of the connection's buffer in bytes. It holds any message: a dump's datagrams have at most 32 KiB, and a
    /// sample of psample has at most 64 KiB of attributes after its headers.
    public static let bufferLength = 1 << 17

    let transport: any NetlinkTransport
    let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    /// Opens a socket in the calling thread's network namespace, or in another one.
    ///
    /// Extended acknowledgements and strict checking are enabled if the kernel supports them.
    /// - Parameters:
    ///   - number: the netlink protocol; NETLINK_ROUTE by default.
    ///   - namespace: a name that `ip netns list` shows, or the path of a namespace's file such as
    ///     /proc/123/ns/net. Needs CAP_SYS_ADMIN.
    /// - Throws: ``SystemError`` if the socket can't be opened, or the namespace can't be entered.
    public convenience init(
        protocol number: Int32 = NETLINK_ROUTE, namespace: String? = nil
    ) throws(SystemError) {
        guard let namespace else {
            self.init(transport: try SocketTransport(protocol: number))
            return
        }
        let transport = try NetworkNamespace.enter(namespace) { () throws(SystemError) in
            try SocketTransport(protocol: number)
        }
        self.init(transport: transport)
    }

    /// A connection to a simulated kernel, for tests. When no datagram is queued, receiving times out at once.
    ///
    /// - Parameters:
    ///   - notifications: datagrams that are queued before any answer.
    ///   - kernel: called with each request's bytes; returns the datagrams of the answer.
    package convenience init(
        portID: UInt32, notifications: [[UInt8]] = [], simulating kernel: @escaping ([UInt8]) -> [[UInt8]]
    ) {
        self.init(transport: SimulatedTransport(portID: portID, notifications: notifications, kernel: kernel))
    }

    private init(transport: any NetlinkTransport) {
        self.transport = transport
        buffer = .allocate(byteCount: Self.bufferLength, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The port to which the kernel sends answers.
    public var portID: UInt32 { transport.portID }

    /// Advances to the next request's sequence number. It is never 0, which notifications carry.
    func nextSequence() -> UInt32 {
        sequence = sequence == .max ? 1 : sequence + 1
        return sequence
    }

    /// Waits for one datagram from the kernel: answers or notifications.
    ///
    /// - Parameter deadline: the time to stop waiting, in CLOCK_MONOTONIC nanoseconds.
    /// - Returns: the datagram in this connection's buffer, valid until the next call; `nil` if the deadline passed.
    /// - Throws: ``NetlinkError``. Code ENOBUFS means that notifications were lost; receiving can continue.
    public func receive(
        _ operation: StaticString, until deadline: Int64
    ) throws(NetlinkError) -> NetlinkDatagram? {
        try receive(operation, into: buffer, until: deadline)
    }

    /// Waits for one datagram and stores it in the caller's buffer. A datagram that does not fit is an error
    /// (EMSGSIZE); it is never returned truncated.
    public func receive(
        _ operation: StaticString, into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64
    ) throws(NetlinkError) -> NetlinkDatagram? {
        let received: ReceivedDatagram?
        do throws(SystemError) {
            received = try transport.receive(into: buffer, until: deadline)
        } catch {
            throw NetlinkError(operation, .socket(error))
        }
        guard let received else { return nil }
        guard received.length <= buffer.count else { throw NetlinkError(operation, .truncated(bytes: received.length)) }
        return NetlinkDatagram(
            bytes: UnsafeRawBufferPointer(rebasing: buffer[..<received.length]), namespaceID: received.namespaceID)
    }

    /// Discards all queued datagrams. Earlier losses are not an error here; ``drops()`` counts them.
    ///
    /// - Returns: the number of datagrams discarded.
    public func discardReceived(_ operation: StaticString) throws(NetlinkError) -> Int {
        var count = 0
        while true {
            do throws(NetlinkError) {
                guard try receive(operation, until: 0) != nil else { return count }
                count += 1
            } catch {
                guard error.code == ENOBUFS else { throw error }
            }
        }
    }
}

/// A received datagram with one or more messages. It refers to the buffer into which it was received.
public struct NetlinkDatagram {
    /// The bytes of the datagram.
    public let bytes: UnsafeRawBufferPointer
    /// The id of the namespace that sent it, after ``NetlinkConnection/listenToAllNamespaces()``; `nil` for the
    /// socket's namespace. `ip netns list-id` shows the ids.
    public let namespaceID: Int32?

    /// A reader of the datagram's messages. Check its `error` at the end.
    @inlinable public var messages: MessageReader { MessageReader(bytes) }
}
