import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

/// The session-reflector: answers probes from the thread that receives them, and learns the true transmit timestamps of
/// its replies, which later replies carry. It owns everything here.
struct SessionReflector: ~Copyable {
    struct Configuration: Sendable {
        /// Random, of this process.
        var instance: UInt64
        var bootHash: UInt64
        var stamps: StampChoice
        /// Who is answered; empty for anybody.
        var allowed: [IPNetwork]
        /// Whether somebody wants the rows of the sessions that are answered.
        var writesRows: Bool
        /// Nanoseconds until a timestamp, or the other side's telemetry, is given up.
        var timeout: Int64
        /// Whether to say when this host's clock was set: where no session-sender does.
        var reportsClock = false
    }

    let configuration: Configuration
    let endpoint: Endpoint
    let control: SessionControl
    let events: SPSCRing<SessionEvent>
    let nic: NIC
    var phc: PHCView
    var turn: TransmitTurn

    var table = SessionTable()
    var replies: [ReplySlot]
    let mask: UInt32
    /// The next reply's id, and the oldest one that is not finished.
    var next: UInt32 = 0
    var oldest: UInt32 = 0
    var ledger: TransmitLedger
    var clockWatch = ClockStepWatch()
    /// Probes that are received now may have come before this host's clock was set.
    var isReceiptUnsure = false
    var result = ReflectorResult()
    var sendHealth = SendHealth(.reflector, interval: 0)
    var isOver = false
    /// CLOCK_MONOTONIC.
    private var lastAnswered: Int64 = 0
    private var finishingSince: Int64?
    private var nextDecision: Int64 = 0
    private var nextReport: Int64

    init(
        _ configuration: Configuration, endpoint: Endpoint, nic: NIC, control: SessionControl,
        events: SPSCRing<SessionEvent>
    ) {
        self.configuration = configuration
        self.nic = nic
        phc = PHCView(nic.clock)
        turn = TransmitTurn(nic)
        self.endpoint = endpoint
        self.control = control
        self.events = events
        let size = 1 << 15
        replies = Array(repeating: ReplySlot(), count: size)
        mask = UInt32(size - 1)
        ledger = TransmitLedger(capacity: size, expecting: endpoint.conn.transmitStamps)
        nextReport = ClockID.monotonic.now() &+ SessionSender.reportInterval
    }

    /// How long the peer's session is answered after our own is over, at most.
    static let lingerLimit: Int64 = 10_000_000_000
    private static let decisionInterval: Int64 = 20_000_000

    /// Answers until it is told to end.
    mutating func run() -> ReflectorResult {
        let start = ClockID.monotonic.now()
        var receiving = ReceiveBatch(capacity: SessionSender.batch, packetBytes: endpoint.packetBytes)
        var sending = SendBatch(
            capacity: SessionSender.batch, packetBytes: endpoint.headerBytes + 4 + endpoint.packetBytes)
        var stamps = StampBatch(capacity: 2 * SessionSender.batch)
        endpoint.conn.setWriteDeadline(monotonic: 0)
        var activity = PacketConn.Activity()
        while !isOver {
            phc.refresh()
            checkClock()
            // What is not taken now keeps the next wait from lasting.
            if activity.contains(.packets), !holdUp() {
                let before = ledger.account.sent
                answer(&receiving, &sending, &stamps)
                if ledger.account.sent == before { turn.release() }
            }
            if !activity.isEmpty { receiveStamps(&stamps) }
            let now = ClockID.monotonic.now()
            sweep(now)
            report(now)
            decideWhetherOver(now)
            guard !isOver, result.failure == nil else { break }
            activity = wait(until: finishingSince == nil ? nextReport : nextDecision)
        }
        finishAll()
        result.account = ledger.account
        result.duration = ClockID.monotonic.now() &- start
        result.threadCPU = ClockID.threadCPU.now()
        return result
    }

    /// Lets probes wait for a moment where the NIC is busy with another timestamp, unless they come fast.
    ///
    /// - Returns: whether they have to wait longer.
    private mutating func holdUp() -> Bool {
        guard ledger.expected.contains(.hardware) else { return false }
        let now = ClockID.monotonic.now()
        if turn.acquire(now, timeout: (now &- lastAnswered) / 2) {
            lastAnswered = now
            return false
        }
        // Not for packets, which are there already.
        _ = try? control.signal.descriptor.waitForInput(timeout: TransmitTurn.pollInterval)
        return true
    }

    private mutating func wait(until deadline: Int64) -> PacketConn.Activity {
        do throws(SystemError) {
            let activity = try endpoint.wait(until: deadline, control)
            if activity.contains(.closed) { isOver = true }
            return activity
        } catch {
            result.failure = error
            return []
        }
    }

    /// Told to finish, it still answers a peer that is at work: until that closes its session or falls silent.
    private mutating func decideWhetherOver(_ now: Int64) {
        switch control.stop {
        case .no: return
        case .abort: isOver = true
        case .finish:
            let since = finishingSince ?? now
            finishingSince = since
            guard now >= nextDecision else { return }
            nextDecision = now &+ Self.decisionInterval
            let isAtWork = table.sessions.contains { session in
                guard session.isOpen else { return false }
                let isDone = session.isClosing && session.hasMeasured
                let timeout = isDone ? 200_000_000 : max(1_000_000_000, 3 &* session.gap)
                return now &- session.lastUsed < timeout
            }
            isOver = !isAtWork || now &- since > Self.lingerLimit
        }
    }

    private mutating func report(_ now: Int64) {
        guard now >= nextReport else { return }
        nextReport = now &+ SessionSender.reportInterval
        if let notice = sendHealth.recovery(now) { push(.notice(notice)) }
        table.expire(now)
        endpoint.readCounters(into: &result.totals)
        push(.totals(result.totals))
    }

    mutating func push(_ event: SessionEvent) {
        if !events.push(event) { result.eventsDropped &+= 1 }
    }

    /// Looks whether this host's clock was set. To be called before replies are written and before their timestamps are taken
    /// in: then a reply says on which side of a step its own timestamps and those that it tells of are.
    mutating func checkClock() {
        guard let step = clockWatch.read() else { return }
        isReceiptUnsure = true
        phc.forget()
        control.errorEstimate = Housekeeping.unknownError
        guard configuration.reportsClock else { return }
        let entry = ClockStep(
            side: .local, epoch: UInt16(clamping: clockWatch.steps), noticed: ClockID.realtime.now(), sequence: nil,
            amount: step.amount, error: step.error)
        result.clockSteps.add(entry)
        if result.clockSteps.last != nil { push(.notice(.clockSet(entry))) }
    }

    /// The slot of a reply that is still kept.
    func index(ofReply id: UInt32) -> Int? {
        let index = Int(id & mask)
        return replies[index].flags.contains(.inUse) && replies[index].id == id ? index : nil
    }
}

/// What a session-reflector leaves when it is over.
struct ReflectorResult: Sendable {
    /// `received` are probes, `sent` replies.
    var totals = SessionTotals()
    var rejected = RejectedPackets()
    /// From the port that reflectors listen on: answering could go on for ever.
    var loopsRejected: UInt64 = 0
    /// From addresses that are not allowed.
    var notAllowed: UInt64 = 0
    /// Sessions for which there was no room.
    var sessionsRejected: UInt64 = 0
    var sessionsOpened: UInt64 = 0
    var duplicates: UInt64 = 0
    var sendErrors: UInt64 = 0
    var eventsDropped: UInt64 = 0
    var account = TransmitLedger(capacity: 1, expecting: []).account
    var missed = MissedCounts()
    var receiveStamping = ReceiveStampCounts()
    var clockSteps = ClockSteps()
    var duration: Int64 = 0
    var threadCPU: Int64 = 0
    var failure: SystemError?

    var named: [(name: String, value: UInt64)] {
        [("probes", totals.received), ("replies", totals.sent)] + rejected.named + [
            ("loops_refused", loopsRejected), ("not_allowed", notAllowed), ("sessions", sessionsOpened),
            ("sessions_refused", sessionsRejected), ("duplicates", duplicates), ("records_dropped", eventsDropped),
            ("packet_thread_cpu_ns", UInt64(clamping: threadCPU)),
        ]
    }
}
