import CLinux
import LinuxKernel

extension NetlinkConnection {
    /// Makes one value of one reply; `nil` leaves the reply out.
    public typealias Decoder<Reply> = (NetlinkMessage) throws(NetlinkFormatError) -> Reply?
    /// How often a dump is tried that the kernel marks as inconsistent.
    static let dumpAttempts = 8

    /// Sends a request and gives its replies, up to the acknowledgement that it asks for.
    ///
    /// - Parameter operation: what is asked, as a user reads it.
    public func request<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        var replies: [Reply] = []
        _ = try exchange(operation, message, NLM_F_REQUEST | NLM_F_ACK) { message throws(NetlinkFormatError) in
            if let reply = try decode(message) { replies.append(reply) }
        }
        return replies
    }

    /// Reads a whole table. A dump that the kernel marks as inconsistent is thrown away and begun again.
    public func dump<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        var replies: [Reply] = []
        try dump(operation, message, startOver: { replies.removeAll() }) { message throws(NetlinkFormatError) in
            if let reply = try decode(message) { replies.append(reply) }
        }
        return replies
    }

    /// Reads a table of any size, one datagram at a time in the connection's buffer: nothing is kept.
    ///
    /// - Parameters:
    ///   - startOver: called before a dump is begun again that the kernel marked as inconsistent: what `body` has got
    ///     so far no longer counts.
    ///   - body: gets each message. An error of its ends the dump, after the rest of it is read past.
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

    /// Has the kernel walk a table and throws away what it tells.
    ///
    /// - Returns: how many messages that were.
    public func discardDump(_ operation: StaticString, _ message: MessageWriter) throws(NetlinkError) -> Int {
        var count = 0
        try dump(operation, message, startOver: { count = 0 }) { _ throws(NetlinkFormatError) in count += 1 }
        return count
    }

    /// - Returns: `false` where the kernel marked the answer as inconsistent.
    private func exchange(
        _ operation: StaticString, _ message: MessageWriter, _ flags: Int32,
        _ body: (NetlinkMessage) throws(NetlinkFormatError) -> Void
    ) throws(NetlinkError) -> Bool {
        var exchange = Exchange(operation: operation, sequence: nextSequence(), portID: portID)
        try send(message, UInt16(truncatingIfNeeded: flags), exchange)
        var deadline = ClockID.monotonic.now() + timeout
        while !exchange.isFinished {
            do throws(NetlinkError) {
                guard let datagram = try receive(operation, until: deadline) else {
                    throw exchange.failure ?? NetlinkError(operation, .timedOut)
                }
                if exchange.handle(datagram, body) { deadline = ClockID.monotonic.now() + timeout }
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
