import CLinux
import Glibc
import LinuxKernel

/// A netlink socket of the network namespace in which it was opened, with a buffer made once.
///
/// One request at a time: not for use by two threads at once. A connection that asks should not be one that listens:
/// notifications would be lost among the answers. Source: netlink(7).
public final class NetlinkConnection {
    /// How long a request waits for the next part of its answer, in nanoseconds.
    package var timeout: Int64 = 2_000_000_000
    /// Bytes of the connection's own buffer. No message is bigger: a dump's datagrams have at most 32 KiB, and a sample of
    /// psample's at most 64 KiB of attributes behind its headers.
    public static let bufferLength = 1 << 17

    let transport: any NetlinkTransport
    let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    /// Opens a socket in the calling thread's network namespace, or in another one.
    ///
    /// Extended acknowledgements and strict checking are on where the kernel has them.
    /// - Parameters:
    ///   - number: the netlink family, NETLINK_ROUTE unless given.
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

    /// A connection to a kernel that a function plays: it gets each request's bytes and gives the datagrams of the
    /// answer. When it has no more, time is over at once.
    ///
    /// - Parameter notifications: datagrams that are there before any answer.
    package convenience init(
        portID: UInt32, hearing notifications: [[UInt8]] = [], playing kernel: @escaping ([UInt8]) -> [[UInt8]]
    ) {
        self.init(transport: PlayedTransport(portID: portID, hearing: notifications, kernel: kernel))
    }

    private init(transport: any NetlinkTransport) {
        self.transport = transport
        buffer = .allocate(byteCount: Self.bufferLength, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The port that the kernel answers to.
    public var portID: UInt32 { transport.portID }

    /// The next request's number. Never 0, which is what notifications carry.
    func nextSequence() -> UInt32 {
        sequence = sequence == .max ? 1 : sequence + 1
        return sequence
    }

    /// Waits for one datagram of the kernel's: answers or notifications.
    ///
    /// - Parameter deadline: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: the datagram in this connection's own buffer, to be read before the next call; `nil` when the time
    ///   is over.
    /// - Throws: ``NetlinkError``; ENOBUFS as its code means that notifications were lost, and passes.
    public func receive(
        _ operation: StaticString, until deadline: Int64
    ) throws(NetlinkError) -> NetlinkDatagram? {
        try receive(operation, into: buffer, until: deadline)
    }

    /// The same into the caller's buffer. What does not fit is an error (EMSGSIZE), never a shorter datagram.
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

    /// Throws everything away that has come. That some was lost before is no error here: ``drops()`` counts it.
    ///
    /// - Returns: how many datagrams that were.
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

/// What one receive call gave: one message or several. It looks into the buffer that it was received into.
public struct NetlinkDatagram {
    /// All that was received.
    public let bytes: UnsafeRawBufferPointer
    /// The number of the namespace that it tells of, with ``NetlinkConnection/listenToAllNamespaces()``; `nil` for the
    /// socket's own. `ip netns list-id` shows them.
    public let namespaceID: Int32?

    /// A walk over its messages. Read its `error` at the end.
    @inlinable public var messages: MessageReader { MessageReader(bytes) }
}
