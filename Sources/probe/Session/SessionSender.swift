import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

/// The session-sender: sends probes at their times, takes their transmit timestamps and the replies, and turns each probe
/// into its two rows. All of it runs on one thread of its own, which owns everything here.
struct SessionSender: ~Copyable {
    struct Configuration: Sendable {
        var session: UInt64
        var ssid: UInt16
        var peer: SocketAddress
        /// The peer's MAC address where packets have no IP header.
        var station: MACAddress?
        var source: IPAddress
        var layout: ProbeLayout
        /// Nanoseconds between probes.
        var interval: Int64
        /// Probes to send; `nil` until stopped.
        var count: UInt64?
        /// Nanoseconds until a probe without a reply counts as lost.
        var timeout: Int64
        var dscp: UInt8
        var hopLimit: UInt8
        var bootHash: UInt64
        var stamps: StampChoice
    }

    /// Where a session stands.
    enum Phase {
        /// Probes that count nothing, until the first reply: the peer may not be up yet, and the first timestamps are slow.
        case opening
        case measuring
        /// Probes that count nothing, to fetch the last follow-ups.
        case closing
        case over
    }

    let configuration: Configuration
    let endpoint: Endpoint
    let control: SessionControl
    let events: SPSCRing<SessionEvent>
    let nic: NIC
    var phc: PHCView
    var turn: TransmitTurn
    /// A probe whose time has come waits for the NIC.
    var isHeldUp = false

    var phase = Phase.opening
    var slots: [ProbeSlot]
    let mask: UInt32
    /// The next sequence, and the oldest one whose rows are not finished.
    var next: UInt32 = 0
    var oldest: UInt32 = 0
    var ledger: TransmitLedger
    var order: ReplyOrder
    var relation: ClockRelation
    var clockWatch = ClockStepWatch()
    var epochs = ClockEpochs()
    var offset = OffsetBounds()
    /// The last step was the peer's, and its size is not known yet.
    var isStepPending = false
    /// The last gap among the answered probes that was looked into.
    var gap: LossGap?
    /// The reply to the newest answered probe that is finished.
    var lastAnsweredReply: UInt32?
    /// Measured probes whose timestamps are complete, and measured replies that were received, to tell the peer of.
    var stampedProbes = TelemetryQueue(capacity: 1024)
    var receivedReplies = TelemetryQueue(capacity: 1024)
    /// The closing probe that took the last of both along.
    var lastUpdateSequence: UInt32?
    var headers: PacketHeaders
    var peerInstance: UInt64?
    var peerSendsFollowUps = false
    /// Replies of all kinds, and when the newest came.
    var repliesReceived: UInt64 = 0
    var lastReplyAt: Int64

    var result = SenderResult()
    var totals: SessionTotals { result.totals }
    /// CLOCK_MONOTONIC, as all deadlines.
    var phaseBegan: Int64
    var nextSend: Int64
    var nextReport: Int64
    var attempts: UInt64 = 0
    var sending: SendHealth
    var silence = ReplySilence()
    var outages = Outages()
    var hasWarnedOfClocks = false
    var hasFallenBehind = false
    var hasReportedWaiting = false

    init(
        _ configuration: Configuration, endpoint: Endpoint, nic: NIC, control: SessionControl,
        events: SPSCRing<SessionEvent>
    ) {
        self.configuration = configuration
        self.nic = nic
        phc = PHCView(nic.clock)
        turn = TransmitTurn(nic)
        self.endpoint = endpoint
        sending = SendHealth(.sender, interval: configuration.interval)
        self.control = control
        self.events = events
        // A probe may be asked after for twice the timeout, and its follow-up comes with the probe after it.
        let span = configuration.timeout &* 2 &+ configuration.interval &* 2
        var size = 256
        while size < 1 << 18, Int64(size) < span / max(1, configuration.interval) &+ 64 { size <<= 1 }
        slots = Array(repeating: ProbeSlot(), count: size)
        mask = UInt32(size - 1)
        ledger = TransmitLedger(capacity: size, expecting: endpoint.conn.transmitStamps)
        order = ReplyOrder(capacity: size)
        relation = ClockRelation(localBootHash: configuration.bootHash)
        headers = endpoint.probeHeaders(
            source: configuration.source, peer: configuration.peer, nextHop: MACAddress(rawValue: control.nextHopMAC),
            hopLimit: configuration.hopLimit, dscp: configuration.dscp)
        let now = ClockID.monotonic.now()
        phaseBegan = now
        lastReplyAt = now
        nextSend = now
        nextReport = now &+ Self.reportInterval
    }

    static let batch = 64
    /// Between two reports of totals.
    static let reportInterval: Int64 = 1_000_000_000
    /// Between opening probes, and between closing ones once the first few have brought nothing.
    static let openingInterval: Int64 = 50_000_000
    static let closingInterval: Int64 = 20_000_000
    /// How long the peer may take to come up before the measurement begins without it.
    static let openingLimit: Int64 = 10_000_000_000
    /// Deadlines missed by more than this are left out: after a suspend there is no flood.
    static let greatestDelay: Int64 = 100_000_000

    /// Serves the session until it is over.
    mutating func run() -> SenderResult {
        var sending = SendBatch(
            capacity: Self.batch, packetBytes: headers.frameBytes(payload: configuration.layout.size))
        var receiving = ReceiveBatch(capacity: Self.batch, packetBytes: endpoint.packetBytes)
        var stamps = StampBatch(capacity: 2 * Self.batch)
        endpoint.conn.setWriteDeadline(monotonic: 0)
        var activity = PacketConn.Activity()
        while phase != .over {
            var now = ClockID.monotonic.now()
            phc.refresh()
            checkClock()
            advance(now)
            if sendDue(now, &sending) { activity.insert(.stamps) }
            // What is not taken now keeps the next wait from lasting.
            if activity.contains(.packets) { receiveReplies(&receiving) }
            if activity.contains(.stamps) { receiveStamps(&stamps) }
            now = ClockID.monotonic.now()
            sweep(now)
            report(now)
            guard phase != .over, result.failure == nil else { break }
            activity = wait(until: min(isHeldUp ? now &+ TransmitTurn.pollInterval : nextSend, nextReport))
        }
        enter(.over, ClockID.monotonic.now())
        finishAll()
        reportPending()
        outages.finish()
        result.outages = outages
        result.account = ledger.account
        result.relation = relation
        result.threadCPU = ClockID.threadCPU.now()
        return result
    }

    /// Moves on to the next phase when it is time.
    private mutating func advance(_ now: Int64) {
        let stop = control.stop
        if stop == .abort { return enter(.over, now) }
        switch phase {
        case .opening:
            if stop == .finish { return enter(.closing, now) }
            if result.hasAnswered { return enter(.measuring, now) }
            let waited = now &- phaseBegan
            if waited > Self.openingLimit {
                report(.peerSilent)
                enter(.measuring, now)
            } else if waited > 1_000_000_000, !hasReportedWaiting {
                hasReportedWaiting = true
                report(.waitingForPeer(seconds: Self.openingLimit / 1_000_000_000))
            }
        case .measuring:
            let isDone = configuration.count.map { attempts >= $0 } ?? false
            if stop == .finish || isDone { enter(.closing, now) }
        case .closing:
            if oldest == next || !hasUnfinished && peerKnowsAll { return enter(.over, now) }
            if now &- phaseBegan > configuration.timeout { enter(.over, now) }
        case .over:
            break
        }
    }

    private mutating func enter(_ phase: Phase, _ now: Int64) {
        if self.phase == .measuring {
            result.duration = now &- phaseBegan
            result.due = attempts
        }
        self.phase = phase
        phaseBegan = now
        switch phase {
        case .measuring:
            nextSend = now &+ min(configuration.interval, 1_000_000)
            // What was before has no rows.
            epochs.begin()
            result.clockSteps = ClockSteps()
            isStepPending = false
        case .closing: nextSend = now
        case .opening, .over: break
        }
    }

    /// Whether a measured probe still waits for something.
    var hasUnfinished: Bool {
        var sequence = oldest
        while sequence != next {
            let slot = slots[Int(sequence & mask)]
            if slot.flags.contains(.measured), !slot.isFinished { return true }
            sequence &+= 1
        }
        return false
    }

    /// Whether the peer has all that its own rows need: a probe that left after the last news was answered.
    private var peerKnowsAll: Bool {
        guard peerInstance != nil, result.totals.sent > 0 else { return true }
        guard var sequence = lastUpdateSequence else { return false }
        while sequence != next {
            if slots[slotIndex(sequence)].flags.contains(.replied) { return true }
            sequence &+= 1
        }
        return false
    }

    private mutating func wait(until deadline: Int64) -> PacketConn.Activity {
        do throws(SystemError) {
            let activity = try endpoint.wait(until: deadline, control)
            if activity.contains(.closed) { enter(.over, ClockID.monotonic.now()) }
            return activity
        } catch {
            result.failure = error
            return []
        }
    }

    private mutating func report(_ now: Int64) {
        guard now >= nextReport else { return }
        nextReport = now &+ Self.reportInterval
        let silentFor = now &- lastReplyAt
        control.isPeerSilent = silentFor > configuration.timeout &+ configuration.interval
        if control.isPeerSilent, phase == .measuring, result.hasAnswered, !sending.isFailing,
            let notice = silence.begin(lastReplyAt: lastReplyAt, now)
        {
            report(notice)
        }
        if let notice = sending.recovery(now) { report(notice) }
        endpoint.readCounters(into: &result.totals)
        push(.totals(result.totals))
    }

    mutating func report(_ notice: SessionNotice) { push(.notice(notice)) }

    mutating func push(_ event: SessionEvent) {
        if !events.push(event) { result.eventsDropped &+= 1 }
    }

    func slotIndex(_ sequence: UInt32) -> Int { Int(sequence & mask) }

    /// The slot of a probe that is still kept; `nil` for one that is finished long ago or was never sent.
    func index(ofProbe sequence: UInt32) -> Int? {
        let index = slotIndex(sequence)
        return slots[index].flags.contains(.inUse) && slots[index].sequence == sequence ? index : nil
    }
}

/// What a session-sender leaves when it is over.
struct SenderResult: Sendable {
    var totals = SessionTotals()
    var sequenceTotals = RunSummary.SequenceTotals()
    var rejected = RejectedPackets()
    /// Opening and closing probes, outside the statistics.
    var uncountedProbes: UInt64 = 0
    /// Replies to probes that had been written off.
    var tooLate: UInt64 = 0
    var sendErrors: UInt64 = 0
    /// Measured probes that were due: those sent, those refused and those skipped.
    var due: UInt64 = 0
    /// Measured probes that the kernel refused to send.
    var notSent: UInt64 = 0
    var outages = Outages()
    /// Deadlines left out because the thread was held up.
    var skippedDeadlines: UInt64 = 0
    /// Rows that the recorder was too slow to take.
    var eventsDropped: UInt64 = 0
    var account = TransmitLedger(capacity: 1, expecting: []).account
    var missed = MissedCounts()
    var receiveStamping = ReceiveStampCounts()
    var relation = ClockRelation(localBootHash: 0)
    var clockSteps = ClockSteps()
    /// How long was measured, and what the thread took for all of it, in nanoseconds.
    var duration: Int64 = 0
    var threadCPU: Int64 = 0
    /// What ended the session before its time.
    var failure: SystemError?
    /// A reply came at all, be it to an opening probe.
    var hasAnswered = false
    /// How many times the peer was seen to start anew.
    var peerRestarts: UInt64 = 0
}
