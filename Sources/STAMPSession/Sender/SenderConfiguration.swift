import NetworkAddresses
import Report
import STAMPWire

extension SessionSender {
    /// The settings of a session-sender.
    public struct Configuration: Sendable {
        /// The random ID of the session, which the peer learns.
        public var session: UInt64
        /// The session identifier in every packet (RFC 8972 section 3); not 0.
        public var ssid: UInt16
        /// The peer as the rows show it.
        public var peer: PeerAddress
        public var peerPort: UInt16
        /// The lengths and places of a probe's parts.
        public var layout: ProbeLayout
        /// The length of a whole probe on the wire, in bytes.
        public var frameBytes: Int
        /// The mean time between two probes, in nanoseconds.
        public var intervalNanoseconds: Int64
        public var schedule = SchedulePattern.periodic
        /// The offset of the measured probes' deadlines from those of a session that was created at the same time, in
        /// nanoseconds below the interval; nil to begin with the first reply. It keeps sessions from sending at one
        /// instant.
        public var phaseNanoseconds: Int64?
        /// The number of probes to send; nil to send until stopped.
        public var count: UInt64?
        /// The time after which an unanswered probe is lost, in nanoseconds.
        public var timeoutNanoseconds: Int64
        /// The DSCP of probes, which is also requested for replies.
        public var dscp: UInt8 = 0
        /// The TTL or hop limit of probes.
        public var hopLimit: UInt8 = 255
        /// True if packets have an IP header, and so a TTL and a DSCP.
        public var hasIP = true
        public var host: HostIdentity
        /// The transmit timestamps that every probe requests.
        public var expectedStamps: StampKinds = []
        /// True if delays are computed from the NICs' timestamps only.
        public var usesHardwareOnly = false

        public init(
            session: UInt64, ssid: UInt16, peer: PeerAddress, peerPort: UInt16, layout: ProbeLayout, frameBytes: Int,
            intervalNanoseconds: Int64, timeoutNanoseconds: Int64, host: HostIdentity
        ) {
            self.session = session
            self.ssid = ssid
            self.peer = peer
            self.peerPort = peerPort
            self.layout = layout
            self.frameBytes = frameBytes
            self.intervalNanoseconds = intervalNanoseconds
            self.timeoutNanoseconds = timeoutNanoseconds
            self.host = host
        }
    }

    /// The phases of a session.
    public enum Phase: Sendable {
        /// Probes are sent until the first reply. They are not measured, since the peer may not be up yet and the first
        /// timestamps are slow.
        case opening
        case measuring
        /// Probes are sent to fetch the last follow-ups. They are not measured.
        case closing
        case over
    }

    /// The kinds of a request to stop.
    public enum Stop: UInt8, Comparable, Sendable {
        /// No stop is requested.
        case no
        /// Stop sending, and wait for outstanding replies and timestamps.
        case finish
        /// Stop at once.
        case abort

        public static func < (left: Stop, right: Stop) -> Bool { left.rawValue < right.rawValue }
    }
}

/// The result of a session-sender.
public struct SenderResult: Sendable {
    public internal(set) var totals = SessionTotals()
    /// Replies that no probe of the session explains, by reason.
    public internal(set) var rejected = RejectedReplies()
    /// Opening and closing probes, which are not measured.
    public internal(set) var uncountedProbes: UInt64 = 0
    /// Replies to probes that had already been written off.
    public internal(set) var repliesAfterWriteOff: UInt64 = 0
    /// Refusals of the kernel to send, those of opening and closing probes included.
    public internal(set) var refusals: UInt64 = 0
    public internal(set) var outages = Outages()
    /// Deadlines that were skipped because the caller was delayed.
    public internal(set) var skippedDeadlines: UInt64 = 0
    public internal(set) var ledger = TimestampLedger()
    /// Transmit timestamps that no probe waited for.
    public internal(set) var unknownStamps: UInt64 = 0
    public internal(set) var relation: ClockRelation
    public internal(set) var clockSteps = ClockSteps()
    /// The duration of the measurement, in nanoseconds.
    public internal(set) var duration: Int64 = 0
    /// True if any reply was received, including replies to opening probes.
    public internal(set) var hasAnswered = false
    /// The number of detected restarts of the peer.
    public internal(set) var peerRestarts: UInt64 = 0
    /// The first probes that a restarted reflector answered: those of the first restarts.
    public internal(set) var firstAnsweredAfterRestart: [UInt32] = []

    init(_ relation: ClockRelation) { self.relation = relation }
}

/// Counts of replies that a session-sender rejected, by reason.
public struct RejectedReplies: Hashable, Sendable {
    /// Shorter than any STAMP packet.
    public var short: UInt64 = 0
    /// To a probe that was never sent, or with a send time that was never used.
    public var stray: UInt64 = 0
    /// With another session's SSID.
    public var wrongSession: UInt64 = 0

    public init() {}
}
