import CLinux
import LinuxKernel

extension NetlinkConnection {
    /// Decodes one reply into a value; `nil` skips the reply.
    public typealias Decoder<Reply> = (NetlinkMessage) throws(NetlinkFormatError) -> Reply?
    /// The maximum number of attempts at a dump that the kernel marks as inconsistent.
    static let dumpAttempts = 8

    /// Sends a request and collects its replies, up to the acknowledgement.
    ///
    /// - Parameter operation: the operation as error messages name it, such as "look up the route".
    public func request<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        var replies: [Reply] = []
        _ = try exchange(operation, message, NLM_F_REQUEST | NLM_F_ACK) { message throws(NetlinkFormatError) in
            if let reply = try decode(message) { replies.append(reply) }
        }
        return replies
    }

    /// Reads a whole table. A dump that the kernel marks as inconsistent is discarded and retried.
    public func dump<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        var replies: [Reply] = []
        try dump(operation, message, startOver: { replies.removeAll() }) { message throws(NetlinkFormatError) in
            if let reply = try decode(message) { replies.append(reply) }
        }
        return replies
    }

    /// Reads a table of any size, one datagram at a time in the connection's buffer.
    ///
    /// - Parameters:
    ///   - startOver: called before an inconsistent dump is retried; the messages that `body` has received until then
    ///     are
    ///     void.
    ///   - body: called with each message. If it throws, the rest of the dump is read and skipped, then the error is
    ///     thrown.
    public func dump(
        _ operation: StaticString, _ message: MessageWriter, startOver: () -> Void,
        _ body: (NetlinkMessage) throws(NetlinkFormatError) -> Void
    ) throws(NetlinkError) {
        for attempt in 0..<Self.dumpAttempts {
            if attempt > 0 { startOver() }
            if try exchange(operation, message, NLM_F_REQUEST | NLM_F_DUMP, body) { return }
        }
        throw NetlinkError(operation, .interrupted(attempts: Self.dumpAttempts))
    }

    /// Has the kernel walk a table, and discards its messages.
    ///
    /// - Returns: the number of messages.
    public func discardDump(_ operation: StaticString, _ message: MessageWriter) throws(NetlinkError) -> Int {
        var count = 0
        try dump(operation, message, startOver: { count = 0 }) { _ throws(NetlinkFormatError) in count += 1 }
        return count
    }

    /// Sends a request and handles its answer.
    ///
    /// - Returns: `false` if the kernel marked the answer as inconsistent.
    private func exchange(
        _ operation: StaticString, _ message: MessageWriter, _ flags: Int32,
        _ body: (NetlinkMessage) throws(NetlinkFormatError) -> Void
    ) throws(NetlinkError) -> Bool {
        var exchange = Exchange(operation: operation, sequence: nextSequence(), portID: portID)
        try send(message, UInt16(truncatingIfNeeded: flags), exchange)
        var deadline = ClockID.monotonic.now() + timeoutNanoseconds
        while !exchange.isFinished {
            do throws(NetlinkError) {
                guard let datagram = try receive(operation, until: deadline) else {
                    throw exchange.failure ?? NetlinkError(operation, .timedOut)
                }
                if exchange.handle(datagram, body) { deadline = ClockID.monotonic.now() + timeoutNanoseconds }
            } catch {
                guard case .truncated = error.cause else { throw error }
                exchange.fail(error)
            }
        }
        if let failure = exchange.failure { throw failure }
        return !exchange.isInterrupted
    }

    private func send(_ message: MessageWriter, _ flags: UInt16, _ exchange: Exchange) throws(NetlinkError) {
        let bytes: [UInt8]
        do throws(NetlinkFormatError) {
            bytes = try message.finished(addingFlags: flags, sequence: exchange.sequence, portID: exchange.portID)
        } catch {
            throw NetlinkError(exchange.operation, .malformed(error))
        }
        do throws(SystemError) {
            try transport.send(bytes)
        } catch {
            throw NetlinkError(exchange.operation, .socket(error))
        }
    }
}
