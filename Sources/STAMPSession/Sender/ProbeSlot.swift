import Report
import STAMPWire

/// The state of one probe and its reply until both rows are written.
@usableFromInline
struct ProbeSlot: Sendable, BitwiseCopyable {
    struct Flags: OptionSet, Sendable, BitwiseCopyable {
        let rawValue: UInt16
        /// The probe is in the statistics and has rows. Opening and closing probes are not and have none.
        static let measured = Flags(rawValue: 1)
        /// A reply was received.
        static let replied = Flags(rawValue: 1 << 1)
        /// All transmit timestamps that can arrive have arrived.
        static let stamped = Flags(rawValue: 1 << 2)
        /// The reply's transmit timestamps are known, or will never be.
        static let replyStamped = Flags(rawValue: 1 << 3)
        /// The peer has reported that it received the probe.
        static let reachedPeer = Flags(rawValue: 1 << 4)
        static let probeRowWritten = Flags(rawValue: 1 << 5)
        static let replyRowWritten = Flags(rawValue: 1 << 6)
        static let late = Flags(rawValue: 1 << 7)
        static let probeReordered = Flags(rawValue: 1 << 8)
        static let replyReordered = Flags(rawValue: 1 << 9)
        /// The caller has not yet said whether the kernel accepted the probe.
        static let unsent = Flags(rawValue: 1 << 10)
        /// A clock was set while the probe or its reply was on the path.
        static let crossing = Flags(rawValue: 1 << 11)
        /// The kernel refused to send it.
        static let refused = Flags(rawValue: 1 << 12)
        static let lostForward = Flags(rawValue: 1 << 13)
        static let lostReverse = Flags(rawValue: 1 << 14)

        static let finished: Flags = [.probeRowWritten, .replyRowWritten]
    }

    var sequence: UInt32 = 0
    /// The reflector's sequence number in the reply.
    var replySequence: UInt32 = 0
    /// The clock epoch in which the probe was sent.
    var epoch: UInt32 = 0
    var flags: Flags = []
    /// The errno with which the kernel refused to send the probe.
    var sendError: Int16 = 0
    /// The send time in CLOCK_MONOTONIC nanoseconds; the deadline until the probe is sent.
    var sentAt: Int64 = 0
    /// From the deadline to the sending, in nanoseconds.
    var lateness: Int32 = 0
    var replyBytes: Int32 = 0
    var replyTTL: UInt8 = 0
    var replyDSCP: UInt8 = 0
    /// The transmit timestamps that are awaited, and what became of the others.
    var book = TransmitBook.Entry()
    var stampMissing: MissingReason?
    var probe = TransmitTimes()
    var probeReceived = ReceiveTimes()
    var reply = TransmitTimes()
    var replyReceived = ReceiveTimes()

    /// The outcome, once the probe is finished.
    var outcome: ProbeOutcome {
        if flags.contains(.replied) { return .answered }
        if flags.contains(.refused) { return .notSent(Int32(sendError)) }
        return flags.contains(.lostForward) ? .lostForward : flags.contains(.lostReverse) ? .lostReverse : .lostUnknown
    }

    var isFinished: Bool { flags.isSuperset(of: .finished) }
}
