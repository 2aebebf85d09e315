import CLinux

/// The state of one request while its answer arrives.
struct Exchange {
    let operation: StaticString
    let sequence: UInt32
    let portID: UInt32
    var isInterrupted = false
    var isFinished = false
    /// The first failure. The rest of the answer is still read, because the kernel rejects a second dump until then.
    var failure: NetlinkError?

    mutating func fail(_ error: NetlinkError) { if failure == nil { failure = error } }

    mutating func fail(_ error: NetlinkFormatError) { fail(NetlinkError(operation, .malformed(error))) }

    /// Handles one datagram's messages.
    ///
    /// - Returns: `false` if none of them answers this request.
    mutating func handle(
        _ datagram: NetlinkDatagram, _ body: (NetlinkMessage) throws(NetlinkFormatError) -> Void
    ) -> Bool {
        var isAnswer = false
        var reader = datagram.messages
        while !isFinished, let message = reader.next() {
            // Notifications and answers to abandoned requests have other sequence numbers.
            guard message.sequence == sequence, message.portID == portID else { continue }
            isAnswer = true
            if message.hasFlag(NLM_F_DUMP_INTR) { isInterrupted = true }
            do throws(NetlinkFormatError) {
                switch Int32(message.type) {
                case NLMSG_ERROR, NLMSG_DONE:
                    isFinished = true
                    if let error = try Acknowledgement(message).error(operation) { fail(error) }
                case ..<NLMSG_MIN_TYPE: break
                default: if failure == nil { try body(message) }
                }
            } catch {
                fail(error)
            }
        }
        if let error = reader.error { fail(error) }
        return isAnswer
    }
}
