import Report
import STAMPWire

/// The state of one reply and of the probe that it answers, until their timestamps and rows are finished.
struct ReplySlot {
    struct Flags: OptionSet {
        let rawValue: UInt8
        static let inUse = Flags(rawValue: 1)
        /// The probe has rows. Opening and closing probes have none.
        static let measured = Flags(rawValue: 1 << 1)
        static let stamped = Flags(rawValue: 1 << 2)
        /// The sender has reported its receive timestamps of the reply.
        static let receiptKnown = Flags(rawValue: 1 << 3)
        static let probeRowWritten = Flags(rawValue: 1 << 4)
        static let replyRowWritten = Flags(rawValue: 1 << 5)
        /// This host's clock was set while the probe waited in the socket.
        static let crossing = Flags(rawValue: 1 << 6)

        static let finished: Flags = [.probeRowWritten, .replyRowWritten]
    }

    var id: UInt32 = 0
    /// The ID of the session's previous reply.
    var previous: UInt32 = 0
    var session = 0
    /// The session's clock epoch in which the probe was answered.
    var epoch: UInt32 = 0
    var identifier: UInt64 = 0
    var flags: Flags = []
    var probeStatus = PacketStatus.ok
    var stampMissing: MissingReason?
    var ttl: UInt8 = 0
    var dscp: UInt8 = 0
    var replyDSCP: UInt8 = 0
    var bytes: Int32 = 0
    var replyBytes: Int32 = 0
    /// The send time, in CLOCK_MONOTONIC nanoseconds.
    var sentAt: Int64 = 0
    var probe = TransmitStamps(sequence: 0, answered: 0)
    var probeReceived = ReceiveStamps(sequence: 0)
    var reply = TransmitStamps(sequence: 0, answered: 0)
    var replyReceived = ReceiveStamps(sequence: 0)

    var isFinished: Bool { !flags.contains(.measured) || flags.isSuperset(of: .finished) }
}
