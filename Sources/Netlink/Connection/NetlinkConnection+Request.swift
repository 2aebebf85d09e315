import CLinux
import Kernel

extension NetlinkConnection {
    /// Makes one value of one reply; `nil` leaves the reply out.
    package typealias Decoder<Reply> = (NetlinkMessage) throws(NetlinkFormatError) -> Reply?

    /// Sends a request and gives its replies, up to the acknowledgement that it asks for.
    ///
    /// - Parameter operation: what is asked, as a user reads it.
    package func request<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        var exchange = Exchange<Reply>(operation: operation)
        try run(&exchange, message, flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), decode)
        return exchange.replies
    }

    /// Reads a whole table. A dump that the kernel marks as inconsistent is thrown away and begun again.
    package func dump<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: Decoder<Reply>
    ) throws(NetlinkError) -> [Reply] {
        for _ in 0..<Self.dumpAttempts {
            var exchange = Exchange<Reply>(operation: operation)
            try run(&exchange, message, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), decode)
            if !exchange.isInterrupted { return exchange.replies }
        }
        throw NetlinkError(operation, .interrupted(attempts: Self.dumpAttempts))
    }

    /// One request and what came of it so far.
    private struct Exchange<Reply> {
        let operation: StaticString
        var replies: [Reply] = []
        var isInterrupted = false
        var isFinished = false
        /// The first failure. Reading goes on to the end after it: the kernel refuses a second dump before that.
        var failure: NetlinkError?

        mutating func fail(_ error: NetlinkError) { if failure == nil { failure = error } }
    }

    private func run<Reply>(
        _ exchange: inout Exchange<Reply>, _ message: MessageWriter, flags: UInt16, _ decode: Decoder<Reply>
    ) throws(NetlinkError) {
        let sequence = nextSequence()
        try send(message, flags: flags, sequence: sequence, exchange.operation)
        var deadline = ClockID.monotonic.now() + timeout
        while !exchange.isFinished {
            guard let length = try receive(exchange.operation, until: deadline) else {
                throw exchange.failure ?? NetlinkError(exchange.operation, .timedOut)
            }
            guard length <= buffer.count else {
                exchange.fail(NetlinkError(exchange.operation, .truncated(bytes: length)))
                continue
            }
            if take(UnsafeRawBufferPointer(rebasing: buffer[..<length]), sequence, into: &exchange, decode) {
                deadline = ClockID.monotonic.now() + timeout
            }
        }
        if let failure = exchange.failure { throw failure }
    }

    private func send(
        _ message: MessageWriter, flags: UInt16, sequence: UInt32, _ operation: StaticString
    ) throws(NetlinkError) {
        let bytes: [UInt8]
        do throws(NetlinkFormatError) {
            bytes = try message.finished(addingFlags: flags, sequence: sequence, portID: portID)
        } catch {
            throw NetlinkError(operation, .malformed(error))
        }
        do throws(SystemError) {
            try transport.send(bytes)
        } catch {
            throw NetlinkError(operation, .socket(error))
        }
    }

    /// Takes one datagram's messages; `false` where none answers this request.
    private func take<Reply>(
        _ datagram: UnsafeRawBufferPointer, _ sequence: UInt32, into exchange: inout Exchange<Reply>,
        _ decode: Decoder<Reply>
    ) -> Bool {
        var isOurs = false
        var reader = MessageReader(datagram)
        while !exchange.isFinished, let message = reader.next() {
            // Answers to requests that were given up, and notifications, have other numbers.
            guard message.sequence == sequence, message.portID == portID else { continue }
            isOurs = true
            if message.hasFlag(NLM_F_DUMP_INTR) { exchange.isInterrupted = true }
            do throws(NetlinkFormatError) {
                switch Int32(message.type) {
                case NLMSG_ERROR, NLMSG_DONE:
                    exchange.isFinished = true
                    if let error = try Acknowledgement(message).error(exchange.operation) { exchange.fail(error) }
                case ..<NLMSG_MIN_TYPE: break
                default: if let reply = try decode(message) { exchange.replies.append(reply) }
                }
            } catch {
                exchange.fail(NetlinkError(exchange.operation, .malformed(error)))
            }
        }
        if let error = reader.error { exchange.fail(NetlinkError(exchange.operation, .malformed(error))) }
        return isOurs
    }
}
