import CLinux

/// One request and what came of it so far.
struct Exchange {
    let operation: StaticString
    let sequence: UInt32
    let portID: UInt32
    var isInterrupted = false
    var isFinished = false
    /// The first failure. Reading goes on to the end after it: the kernel refuses a second dump before that.
    var failure: NetlinkError?

    mutating func fail(_ error: NetlinkError) { if failure == nil { failure = error } }

    mutating func fail(_ error: NetlinkFormatError) { fail(NetlinkError(operation, .malformed(error))) }

    /// Takes one datagram's messages; `false` where none answers this request.
    mutating func handle(
        _ datagram: NetlinkDatagram, _ body: (NetlinkMessage) throws(NetlinkFormatError) -> Void
    ) -> Bool {
        var isOurs = false
        var reader = datagram.messages
        while !isFinished, let message = reader.next() {
            // Answers to requests that were given up, and notifications, have other numbers.
            guard message.sequence == sequence, message.portID == portID else { continue }
            isOurs = true
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
        return isOurs
    }
}
