import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

/// The session-sender: sends probes at their deadlines, receives their transmit timestamps and replies, and writes two
/// rows for each probe. It runs on a thread of its own, which owns all its state.
struct SessionSender: ~Copyable {
    struct Configuration: Sendable {
        var session: UInt64
        var ssid: UInt16
        var peer: SocketAddress
        /// The peer's MAC address if packets have no IP header.
        var station: MACAddress?
        var source: IPAddress
        var layout: ProbeLayout
        /// The time between two probes, in nanoseconds.
        var intervalNanoseconds: Int64
        /// The number of probes to send; nil to send until stopped.
        var count: UInt64?
        /// The time after which an unanswered probe is lost, in nanoseconds.
        var timeoutNanoseconds: Int64
        var dscp: UInt8
        var hopLimit: UInt8
        var bootHash: UInt64
        var stamps: StampChoice
    }

    /// The phases of a session.
    enum Phase {
        /// Probes are sent until the first reply. They are not measured, since the peer may not be up yet and the first
        /// timestamps are slow.
        case opening
        case measuring
        /// Probes are sent to fetch the last follow-ups. They are not measured.
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
    /// True if a probe whose deadline has passed waits for the NIC to finish another timestamp.
    var isWaitingForNIC = false

    var phase = Phase.opening
    var slots: [ProbeSlot]
    let mask: UInt32
    /// The next sequence number, and the oldest one whose rows are not finished.
    var next: UInt32 = 0
    var oldest: UInt32 = 0
    var ledger: TransmitLedger
    var order: ReplyOrder
    var relation: ClockRelation
    var clockWatch = ClockStepWatch()
    var epochs = ClockEpochs()
    var offset = OffsetBounds()
    /// True if the last step was the peer's and its size is not known yet.
    var isStepPending = false
    /// The gap of unanswered probes whose direction was determined last.
    var gap: LossGap?
    /// The reply to the newest answered probe that is finished.
    var lastAnsweredReply: UInt32?
    /// Measured probes whose timestamps are complete, and measured replies that were received, to be reported to the
    /// peer.
    var stampedProbes = TelemetryQueue(capacity: 1024)
    var receivedReplies = TelemetryQueue(capacity: 1024)
    /// The closing probe that carried the last report of both.
    var lastUpdateSequence: UInt32?
    var headers: PacketHeaders
    var peerInstance: UInt64?
    var peerSendsFollowUps = false
    /// The number of all replies, and the time of the newest in CLOCK_MONOTONIC nanoseconds.
    var repliesReceived: UInt64 = 0
    var lastReplyAt: Int64

    var result = SenderResult()
    var totals: SessionTotals { result.totals }
    /// The start of the phase in CLOCK_MONOTONIC nanoseconds, as for all deadlines.
    var phaseBegan: Int64
    var nextSend: Int64
    var nextReport: Int64
    var attempts: UInt64 = 0
    /// The probes of the current phase, refused ones included.
    var phaseAttempts: UInt64 = 0
    var restartNotices = NoticeLimit()
    var sending: SendHealth
    var silence = ReplySilence()
    var outages = Outages()
    var hasWarnedOfClocks = false
    var hasReportedSkippedDeadlines = false
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
        sending = SendHealth(.sender, interval: configuration.intervalNanoseconds)
        self.control = control
        self.events = events
        // A slot is needed for twice the timeout, and for the reply to the next probe, which carries the follow-up.
        let span = configuration.timeoutNanoseconds &* 2 &+ configuration.intervalNanoseconds &* 2
        var size = 256
        while size < 1 << 18, Int64(size) < span / max(1, configuration.intervalNanoseconds) &+ 64 { size <<= 1 }
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
        nextReport = now &+ Self.reportIntervalNanoseconds
    }

    static let batchCapacity = 64
    /// The time between two reports of totals.
    static let reportIntervalNanoseconds: Int64 = 1_000_000_000
    /// The time between opening probes, and between closing probes after the first few.
    static let openingIntervalNanoseconds: Int64 = 50_000_000
    static let closingIntervalNanoseconds: Int64 = 20_000_000
    /// The time after which the measurement begins even if the peer has not answered.
    static let openingTimeoutNanoseconds: Int64 = 10_000_000_000
    /// Deadlines that are missed by more are skipped, so that a suspended host does not send a flood when it resumes.
    static let maximumLatenessNanoseconds: Int64 = 100_000_000

    /// Runs the session to its end.
    mutating func run() -> SenderResult {
        var sending = SendBatch(
            capacity: Self.batchCapacity, packetBytes: headers.frameBytes(payload: configuration.layout.size))
        var receiving = ReceiveBatch(capacity: Self.batchCapacity, packetBytes: endpoint.packetBytes)
        var stamps = StampBatch(capacity: 2 * Self.batchCapacity)
        endpoint.conn.setWriteDeadline(monotonic: 0)
        var activity = PacketConn.Activity()
        while phase != .over {
            var now = ClockID.monotonic.now()
            phc.refresh()
            checkClock()
            advance(now)
            if sendDue(now, &sending) { activity.insert(.stamps) }
            // If packets or timestamps remain, the next wait returns at once.
            if activity.contains(.packets) { receiveReplies(&receiving) }
            if activity.contains(.stamps) { receiveStamps(&stamps) }
            now = ClockID.monotonic.now()
            sweep(now)
            report(now)
            guard phase != .over, result.failure == nil else { break }
            activity = wait(until: min(isWaitingForNIC ? now &+ TransmitTurn.pollInterval : nextSend, nextReport))
        }
        enter(.over, ClockID.monotonic.now())
        finishAll()
        reportPending()
        let silentFor = ClockID.monotonic.now() &- lastReplyAt
        outages.finish(isOpen: silentFor >= Outages.minimumDurationNanoseconds)
        result.outages = outages
        result.account = ledger.account
        result.relation = relation
        result.threadCPU = ClockID.threadCPU.now()
        return result
    }

    /// Enters the next phase when its condition is met.
    private mutating func advance(_ now: Int64) {
        let stop = control.stop
        if stop == .abort { return enter(.over, now) }
        switch phase {
        case .opening:
            if stop == .finish { return enter(.closing, now) }
            if result.hasAnswered { return enter(.measuring, now) }
            let waited = now &- phaseBegan
            if waited > Self.openingTimeoutNanoseconds {
                report(.peerSilent)
                enter(.measuring, now)
            } else if waited > 1_000_000_000, !hasReportedWaiting {
                hasReportedWaiting = true
                report(.waitingForPeer(seconds: Self.openingTimeoutNanoseconds / 1_000_000_000))
            }
        case .measuring:
            let isDone = configuration.count.map { attempts >= $0 } ?? false
            if stop == .finish || isDone { enter(.closing, now) }
        case .closing:
            if oldest == next || !hasUnfinished && peerKnowsAll { return enter(.over, now) }
            if now &- phaseBegan > configuration.timeoutNanoseconds { enter(.over, now) }
        case .over:
            break
        }
    }

    private mutating func enter(_ phase: Phase, _ now: Int64) {
        if self.phase == .measuring {
            result.duration = now &- phaseBegan
            skipMissedDeadlines(now)
        }
        self.phase = phase
        phaseBegan = now
        phaseAttempts = 0
        switch phase {
        case .measuring:
            nextSend = now &+ min(configuration.intervalNanoseconds, 1_000_000)
            // Earlier clock epochs have no rows.
            epochs.begin()
            result.clockSteps = ClockSteps()
            isStepPending = false
        case .closing: nextSend = now
        case .opening, .over: break
        }
    }

    /// True if a measured probe has unfinished rows.
    var hasUnfinished: Bool {
        var sequence = oldest
        while sequence != next {
            let slot = slots[Int(sequence & mask)]
            if slot.flags.contains(.measured), !slot.isFinished { return true }
            sequence &+= 1
        }
        return false
    }

    /// True if the peer has all data for its rows: it has answered the probe with the last report, or a later one.
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
        nextReport = now &+ Self.reportIntervalNanoseconds
        let silentFor = now &- lastReplyAt
        control.isPeerSilent = silentFor > configuration.timeoutNanoseconds &+ configuration.intervalNanoseconds
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

    /// The slot of a probe; nil if the probe was never sent or is no longer kept.
    func index(ofProbe sequence: UInt32) -> Int? {
        let index = slotIndex(sequence)
        return slots[index].flags.contains(.inUse) && slots[index].sequence == sequence ? index : nil
    }
}

/// The result of a session-sender.
struct SenderResult: Sendable {
    var totals = SessionTotals()
    var sequenceTotals = RunSummary.SequenceTotals()
    var rejected = RejectedPackets()
    /// Opening and closing probes, which are not measured.
    var uncountedProbes: UInt64 = 0
    /// Replies to probes that had already been written off.
    var repliesAfterWriteOff: UInt64 = 0
    var sendErrors: UInt64 = 0
    /// Measured probes that the kernel refused to send.
    var notSent: UInt64 = 0
    var outages = Outages()
    /// Deadlines that were skipped because the thread was delayed.
    var skippedDeadlines: UInt64 = 0
    /// Events that were dropped because the recorder was too slow.
    var eventsDropped: UInt64 = 0
    var account = TransmitLedger(capacity: 1, expecting: []).account
    var missed = MissedCounts()
    var receiveStamping = ReceiveStampCounts()
    var relation = ClockRelation(localBootHash: 0)
    var clockSteps = ClockSteps()
    /// The duration of the measurement, and the thread's CPU time, in nanoseconds.
    var duration: Int64 = 0
    var threadCPU: Int64 = 0
    /// The error that ended the session early.
    var failure: SystemError?
    /// True if any reply was received, including replies to opening probes.
    var hasAnswered = false
    /// The number of detected restarts of the peer.
    var peerRestarts: UInt64 = 0
    /// The first probes that a restarted reflector answered: those of the first restarts.
    var firstAnsweredAfterRestart: [UInt32] = []
}
