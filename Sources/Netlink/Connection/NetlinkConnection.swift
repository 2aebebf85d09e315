import CLinux
import Kernel

/// A netlink socket of the network namespace in which it was opened, with a buffer made once.
///
/// One request at a time: not for use by two threads at once. Source: netlink(7).
public final class NetlinkConnection {
    /// How long a request waits for the next part of its answer, in nanoseconds.
    package var timeout: Int64 = 2_000_000_000
    /// No message is bigger: netlink's own and psample's samples fit 64 KiB.
    static let bufferLength = 65536
    /// How often a dump is tried that the kernel marks as inconsistent.
    static let dumpAttempts = 8

    let transport: any NetlinkTransport
    let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// Extended acknowledgements and strict checking are on where the kernel has them.
    /// - Parameter number: the netlink family, NETLINK_ROUTE unless given.
    /// - Throws: ``SystemError`` if the socket can't be opened.
    public convenience init(protocol number: Int32 = NETLINK_ROUTE) throws(SystemError) {
        self.init(transport: try SocketTransport(protocol: number))
    }

    /// A connection to a kernel that a function plays: it gets each request's bytes and gives the datagrams of the
    /// answer. When it has no more, time is over at once.
    package convenience init(portID: UInt32, playing kernel: @escaping ([UInt8]) -> [[UInt8]]) {
        self.init(transport: PlayedTransport(portID: portID, kernel: kernel))
    }

    private init(transport: any NetlinkTransport) {
        self.transport = transport
        buffer = .allocate(byteCount: Self.bufferLength, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The port that the kernel answers to.
    package var portID: UInt32 { transport.portID }

    /// The next request's number. Never 0, which is what notifications carry.
    func nextSequence() -> UInt32 {
        sequence = sequence == .max ? 1 : sequence + 1
        return sequence
    }

    /// Joins a multicast group of the family. Source: NETLINK_ADD_MEMBERSHIP in netlink(7).
    package func join(group: UInt32) throws(SystemError) { try transport.join(group: group) }

    /// Waits for one datagram of notifications.
    ///
    /// - Parameter deadline: CLOCK_MONOTONIC, nanoseconds.
    /// - Returns: `false` when the time is over.
    /// - Throws: ``NetlinkError``; ENOBUFS as its code means that notifications were lost, and passes.
    package func receiveNotifications(
        _ operation: StaticString, until deadline: Int64, _ body: (NetlinkMessage) -> Void
    ) throws(NetlinkError) -> Bool {
        guard let length = try receive(operation, until: deadline) else { return false }
        guard length <= buffer.count else { throw NetlinkError(operation, .truncated(bytes: length)) }
        var reader = MessageReader(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        while let message = reader.next() { body(message) }
        if let error = reader.error { throw NetlinkError(operation, .malformed(error)) }
        return true
    }

    func receive(_ operation: StaticString, until deadline: Int64) throws(NetlinkError) -> Int? {
        do throws(SystemError) {
            return try transport.receive(into: UnsafeMutableRawBufferPointer(buffer), until: deadline)
        } catch {
            throw NetlinkError(operation, .socket(error))
        }
    }
}
