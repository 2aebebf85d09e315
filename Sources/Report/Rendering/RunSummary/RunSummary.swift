/// Everything that is said at the end of a run.
public struct RunSummary: Sendable {
    /// Losses by sequence number, once a run is over and the peer's counters have been compared.
    public struct SequenceTotals: Sendable, Hashable {
        /// Probes that never reached the reflector.
        public var lostForward: UInt64 = 0
        /// Replies that never came back.
        public var lostReverse: UInt64 = 0
        /// Probes without a reply of which it is not known which direction lost them.
        public var lostUnknown: UInt64 = 0
        /// Probes that the reflector received more than once.
        public var duplicatedForward: UInt64 = 0
        /// Replies that came more than once.
        public var duplicatedReverse: UInt64 = 0
        /// Probes that overtook others.
        public var reorderedForward: UInt64 = 0
        /// Replies that overtook others.
        public var reorderedReverse: UInt64 = 0
        /// Replies that came after the timeout.
        public var late: UInt64 = 0

        /// All totals zero.
        public init() {}

        var named: [(name: String, value: UInt64)] {
            [
                ("lost_forward", lostForward), ("lost_reverse", lostReverse), ("lost_unknown", lostUnknown),
                ("late", late), ("duplicated_forward", duplicatedForward), ("duplicated_reverse", duplicatedReverse),
                ("reordered_forward", reorderedForward), ("reordered_reverse", reorderedReverse),
            ]
        }
    }

    /// What the receive socket counted (packet(7), PACKET_STATISTICS).
    public struct SocketCounters: Sendable, Hashable {
        /// Packets that passed the filter, dropped ones included.
        public var packets: UInt64
        /// Packets dropped because the buffer or ring was full.
        public var drops: UInt64
        /// How often the ring's queue was frozen (TPACKET_V3).
        public var freezes: UInt64

        /// Counters with their values.
        public init(packets: UInt64 = 0, drops: UInt64 = 0, freezes: UInt64 = 0) {
            self.packets = packets
            self.drops = drops
            self.freezes = freezes
        }
    }

    /// The measured probes of a session by what happened to them on this host: together they are those that were due.
    public struct ProbeCounts: Sendable, Hashable {
        /// Probes that the kernel took.
        public var sent: UInt64
        /// Probes that it refused.
        public var notSent: UInt64
        /// Probes whose deadline was skipped because this host was held up.
        public var skipped: UInt64

        /// Counts with their values.
        public init(sent: UInt64 = 0, notSent: UInt64 = 0, skipped: UInt64 = 0) {
            self.sent = sent
            self.notSent = notSent
            self.skipped = skipped
        }

        /// The probes that were due.
        public var due: UInt64 { sent &+ notSent &+ skipped }
    }

    /// The session's label, its id as a rule.
    public var session: String
    /// The peer's address or name.
    public var peer: String
    /// The interface's name.
    public var interface: String
    /// How long the run took, in nanoseconds.
    public var duration: Int64
    /// The statistics of the run's rows.
    public var statistics: SessionStatistics
    /// Whether one-way delays have no bound of their error, so that only their variation means something.
    public var relative: Bool
    /// What is known of the two clocks, in a sentence.
    public var clockNote: String
    /// The clocks' steps in mid-run.
    public var clockSteps: ClockSteps
    /// Probes that were due, by what happened to them on this host.
    public var probes: ProbeCounts
    /// Losses by sequence number.
    public var totals: SequenceTotals
    /// The times in which nothing was answered.
    public var outages: Outages
    /// Where the probes' transmit timestamps went.
    public var ledger: TimestampLedger
    /// Where those of the replies that this host sent went.
    public var replyLedger: TimestampLedger?
    /// Timestamps that are missing, in sentences.
    public var stampNotes: [String]
    /// What connection tracking knew of the flows; nil where it was not asked.
    public var flows: FlowHistory?
    /// What the receive socket counted.
    public var socket: SocketCounters
    /// How long after their deadlines probes were handed to the kernel, in nanoseconds.
    public var sendLateness: SignedHistogram
    /// Packets that the kernel refused to send.
    public var sendErrors: UInt64
    /// What the kernel's packet sampler saw of the run; nil where it was not asked.
    public var samples: SampleComparison?
    /// Further counters by name, in the order in which they are shown.
    public var counters: [(name: String, value: UInt64)]

    /// A summary with all its parts.
    public init(
        session: String, peer: String, interface: String, duration: Int64, statistics: SessionStatistics,
        relative: Bool, clockNote: String, clockSteps: ClockSteps = ClockSteps(),
        probes: ProbeCounts = ProbeCounts(), totals: SequenceTotals = SequenceTotals(), outages: Outages = Outages(),
        ledger: TimestampLedger = TimestampLedger(), replyLedger: TimestampLedger? = nil, stampNotes: [String] = [],
        socket: SocketCounters = SocketCounters(),
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
}
