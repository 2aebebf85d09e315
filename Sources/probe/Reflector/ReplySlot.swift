import Report
import STAMPWire

/// All that is known of one reply, and of the probe that it answered, while their timestamps and rows are not finished.
struct ReplySlot {
    struct Flags: OptionSet {
        let rawValue: UInt8
        static let inUse = Flags(rawValue: 1)
        /// Gets rows: opening and closing probes do not.
        static let measured = Flags(rawValue: 1 << 1)
        static let stamped = Flags(rawValue: 1 << 2)
        /// The sender has told when it received the reply.
        static let receiptKnown = Flags(rawValue: 1 << 3)
        static let probeRowWritten = Flags(rawValue: 1 << 4)
        static let replyRowWritten = Flags(rawValue: 1 << 5)
        /// This host's clock was set while the probe waited to be taken in.
        static let crossing = Flags(rawValue: 1 << 6)

        static let finished: Flags = [.probeRowWritten, .replyRowWritten]
    }

    var id: UInt32 = 0
    /// The id of the session's reply before this one.
    var previous: UInt32 = 0
    var session = 0
    /// The session's clock epoch between two steps of the clocks in which the probe was answered.
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
    /// CLOCK_MONOTONIC.
    var sentAt: Int64 = 0
    var probe = TransmitStamps(sequence: 0, answered: 0)
    var probeReceived = ReceiveStamps(sequence: 0)
    var reply = TransmitStamps(sequence: 0, answered: 0)
    var replyReceived = ReceiveStamps(sequence: 0)

    var isFinished: Bool { !flags.contains(.measured) || flags.isSuperset(of: .finished) }
}
