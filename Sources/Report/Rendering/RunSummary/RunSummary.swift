/// The summary of a run.
public struct RunSummary: Sendable {
    /// Losses, duplicates and reordering by sequence number, by the counters of both hosts.
    public struct SequenceTotals: Sendable, Hashable, BitwiseCopyable {
        /// Probes that never reached the reflector.
        public var lostForward: UInt64 = 0
        /// Replies that never reached the sender.
        public var lostReverse: UInt64 = 0
        /// Unanswered probes whose direction of loss is unknown.
        public var lostUnknown: UInt64 = 0
        /// Probes that the reflector received more than once.
        public var duplicatedForward: UInt64 = 0
        /// Replies that were received more than once.
        public var duplicatedReverse: UInt64 = 0
        /// Probes that arrived after a probe that was sent later.
        public var reorderedForward: UInt64 = 0
        /// Replies that arrived after a reply that was sent later.
        public var reorderedReverse: UInt64 = 0
        /// Replies that arrived after the timeout.
        public var late: UInt64 = 0

        /// Creates totals of zero.
        public init() {}

        /// Adds the totals of another session.
        public mutating func add(_ other: SequenceTotals) {
            lostForward &+= other.lostForward
            lostReverse &+= other.lostReverse
            lostUnknown &+= other.lostUnknown
            duplicatedForward &+= other.duplicatedForward
            duplicatedReverse &+= other.duplicatedReverse
            reorderedForward &+= other.reorderedForward
            reorderedReverse &+= other.reorderedReverse
            late &+= other.late
        }

        /// Probes without a reply.
        var lost: UInt64 { lostForward &+ lostReverse &+ lostUnknown }

        var named: [(name: String, value: UInt64)] {
            [
                ("lost_forward", lostForward), ("lost_reverse", lostReverse), ("lost_unknown", lostUnknown),
                ("late", late), ("duplicated_forward", duplicatedForward), ("duplicated_reverse", duplicatedReverse),
                ("reordered_forward", reorderedForward), ("reordered_reverse", reorderedReverse),
            ]
        }
    }

    /// The receive socket's counters (packet(7), PACKET_STATISTICS).
    public struct SocketCounters: Sendable, Hashable {
        /// Packets that passed the filter, dropped ones included.
        public var packets: UInt64
        /// Packets dropped because the buffer or ring was full.
        public var drops: UInt64
        /// The number of times that the ring's queue was frozen (TPACKET_V3).
        public var freezes: UInt64

        /// Creates counters with their values.
        public init(packets: UInt64 = 0, drops: UInt64 = 0, freezes: UInt64 = 0) {
            self.packets = packets
            self.drops = drops
            self.freezes = freezes
        }

        var named: [(name: String, value: UInt64)] {
            [("packets", packets), ("drops", drops), ("freezes", freezes)]
        }
    }

    /// The measured probes of a session that were due, by their treatment on this host.
    public struct ProbeCounts: Sendable, Hashable {
        /// Probes that the kernel accepted.
        public var sent: UInt64
        /// Probes that the kernel refused.
        public var notSent: UInt64
        /// Probes whose deadline was skipped because this host was delayed.
        public var skipped: UInt64

        /// Creates counts with their values.
        public init(sent: UInt64 = 0, notSent: UInt64 = 0, skipped: UInt64 = 0) {
            self.sent = sent
            self.notSent = notSent
            self.skipped = skipped
        }

        /// The probes that were due.
        public var due: UInt64 { sent &+ notSent &+ skipped }
    }

    /// The session's label, usually its ID.
    public var session: String
    /// The peer's address.
    public var peer: String
    /// The name that the user gave the peer; nil if none.
    public var peerName: String?
    /// The number of this session among those to the same peer, from 1; nil if it is the only one.
    public var peerNumber: Int?
    /// The interface's name.
    public var interface: String
    /// The duration of the run, in nanoseconds.
    public var duration: Int64
    /// The statistics of the run's rows.
    public var statistics: SessionStatistics
    /// True if one-way delays have no error bound, so that only their variation is meaningful.
    public var relative: Bool
    /// The relation of the two clocks, as text.
    public var clockNote: String
    /// The clock steps during the run.
    public var clockSteps: ClockSteps
    /// The probes that were due, by their treatment on this host.
    public var probes: ProbeCounts
    /// The losses by sequence number.
    public var totals: SequenceTotals
    /// The times without replies.
    public var outages: Outages
    /// The ledger of the probes' transmit timestamps.
    public var ledger: TimestampLedger
    /// The ledger of the transmit timestamps of this host's replies.
    public var replyLedger: TimestampLedger?
    /// Notes on missing timestamps, in sentences.
    public var stampNotes: [String]
    /// The flows' history in connection tracking; nil if it was not requested.
    public var flows: FlowHistory?
    /// The receive socket's counters; nil if it serves several sessions, whose ``EndpointSummary`` has them.
    public var socket: SocketCounters?
    /// Times from the probes' deadlines to their sending, in nanoseconds.
    public var sendLateness: SignedHistogram
    /// Packets that the kernel refused to send.
    public var sendErrors: UInt64
    /// The comparison with the kernel's packet samples; nil if none were requested.
    public var samples: SampleComparison?
    /// Further counters by name, in the order of the output.
    public var counters: [(name: String, value: UInt64)]

    /// Creates a summary from its parts.
    public init(
        session: String, peer: String, interface: String, duration: Int64, statistics: SessionStatistics,
        relative: Bool, clockNote: String, clockSteps: ClockSteps = ClockSteps(),
        probes: ProbeCounts = ProbeCounts(), totals: SequenceTotals = SequenceTotals(), outages: Outages = Outages(),
        ledger: TimestampLedger = TimestampLedger(), replyLedger: TimestampLedger? = nil, stampNotes: [String] = [],
        socket: SocketCounters? = SocketCounters(),
        sendLateness: SignedHistogram = SignedHistogram(),
        sendErrors: UInt64 = 0,
        counters: [(name: String, value: UInt64)] = []
    ) {
        self.session = session
        self.peer = peer
        self.interface = interface
        self.duration = duration
        self.statistics = statistics
        self.relative = relative
        self.clockNote = clockNote
        self.clockSteps = clockSteps
        self.probes = probes
        self.totals = totals
        self.outages = outages
        self.ledger = ledger
        self.replyLedger = replyLedger
        self.stampNotes = stampNotes
        self.socket = socket
        self.sendLateness = sendLateness
        self.sendErrors = sendErrors
        self.counters = counters
    }

    /// The peer's name and address as text, with the session's number among those to the same peer.
    public var peerText: String { Report.peerText(peer, name: peerName, number: peerNumber) }
}

/// Returns a peer as in every message and summary: its address, or its name with the address; then the number of the
/// session if there are several to this peer.
public func peerText(_ address: String, name: String?, number: Int?) -> String {
    (name.map { "\($0) (\(address))" } ?? address) + (number.map { " #\($0)" } ?? "")
}
