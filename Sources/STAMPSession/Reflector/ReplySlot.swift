import Report
import STAMPWire

/// The state of one reply and of the probe that it answers, until their timestamps and rows are finished.
struct ReplySlot: Sendable, BitwiseCopyable {
    struct Flags: OptionSet, Sendable, BitwiseCopyable {
        let rawValue: UInt8
        /// The probe has rows. Opening and closing probes have none.
        static let measured = Flags(rawValue: 1)
        static let stamped = Flags(rawValue: 1 << 1)
        /// The sender has reported its receive timestamps of the reply.
        static let receiptKnown = Flags(rawValue: 1 << 2)
        static let probeRowWritten = Flags(rawValue: 1 << 3)
        static let replyRowWritten = Flags(rawValue: 1 << 4)
        /// This host's clock was set while the probe waited in the socket.
        static let crossing = Flags(rawValue: 1 << 5)
        /// The caller has not yet said whether the kernel accepted the reply.
        static let unsent = Flags(rawValue: 1 << 6)

        static let finished: Flags = [.probeRowWritten, .replyRowWritten]
    }

    /// The probe's sequence number.
    var sequence: UInt32 = 0
    var replySequence: UInt32 = 0
    /// The session's clock epoch in which the probe was answered.
    var epoch: UInt32 = 0
    var flags: Flags = []
    var probeStatus = PacketStatus.ok
    var ttl: UInt8 = 0
    var dscp: UInt8 = 0
    var replyDSCP: UInt8 = 0
    /// The transmit timestamps that are awaited, and what became of the others.
    var book = TransmitBook.Entry()
    var stampMissing: MissingReason?
    var bytes: Int32 = 0
    var replyBytes: Int32 = 0
    /// This host's error estimate when it answered the probe, and the sender's in the probe.
    var localEstimate = ErrorEstimate(rawValue: 0)
    var peerEstimate = ErrorEstimate(rawValue: 0)
    /// The send time, in CLOCK_MONOTONIC nanoseconds.
    var sentAt: Int64 = 0
    var probe = TransmitTimes()
    var probeReceived = ReceiveTimes()
    var reply = TransmitTimes()
    var replyReceived = ReceiveTimes()

    var isFinished: Bool { !flags.contains(.measured) || flags.isSuperset(of: .finished) }
}
