import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

/// The session-reflector: answers probes on the thread that receives them, and receives the actual transmit timestamps
/// of its replies, which later replies report. Its thread owns all its state.
struct SessionReflector: ~Copyable {
    struct Configuration: Sendable {
        /// The random ID of this process.
        var instance: UInt64
        var bootHash: UInt64
        var stamps: StampChoice
        /// The networks to answer; empty for all.
        var allowed: [IPNetwork]
        /// True if the rows of the answered sessions are written.
        var writesRows: Bool
        /// The time to wait for a timestamp or for the sender's telemetry, in nanoseconds.
        var timeoutNanoseconds: Int64
        /// True to report steps of this host's clock, if no session-sender reports them.
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
    /// The next reply's ID, and the oldest one that is not finished.
    var next: UInt32 = 0
    var oldest: UInt32 = 0
    var ledger: TransmitLedger
    var clockWatch = ClockStepWatch()
    /// True if probes that are received now may have arrived before this host's clock was set.
    var receiptMayPrecedeStep = false
    var result = ReflectorResult()
    var sendHealth = SendHealth(.reflector, interval: 0)
    var isOver = false
    /// Times in CLOCK_MONOTONIC nanoseconds.
    private var lastAnswered: Int64 = 0
    private var finishingSince: Int64?
    private var nextEndCheck: Int64 = 0
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
        nextReport = ClockID.monotonic.now() &+ SessionSender.reportIntervalNanoseconds
    }

    /// The longest time for which the peer's session is answered after the local one has ended, in nanoseconds.
    static let maximumLingerNanoseconds: Int64 = 10_000_000_000
    private static let endCheckIntervalNanoseconds: Int64 = 20_000_000

    /// Answers probes until it is stopped.
    mutating func run() -> ReflectorResult {
        let start = ClockID.monotonic.now()
        var receiving = ReceiveBatch(capacity: SessionSender.batchCapacity, packetBytes: endpoint.packetBytes)
        var sending = SendBatch(
            capacity: SessionSender.batchCapacity, packetBytes: endpoint.headerBytes + 4 + endpoint.packetBytes)
        var stamps = StampBatch(capacity: 2 * SessionSender.batchCapacity)
        endpoint.conn.setWriteDeadline(monotonic: 0)
        var activity = PacketConn.Activity()
        while !isOver {
            phc.refresh()
            checkClock()
            // If packets or timestamps remain, the next wait returns at once.
            if activity.contains(.packets), !mustWaitForNIC() {
                let before = ledger.account.sent
                answer(&receiving, &sending, &stamps)
                if ledger.account.sent == before { turn.release() }
            }
            if !activity.isEmpty { receiveStamps(&stamps) }
            let now = ClockID.monotonic.now()
            sweep(now)
            report(now)
            checkForEnd(now)
            guard !isOver, result.failure == nil else { break }
            activity = wait(until: finishingSince == nil ? nextReport : nextEndCheck)
        }
        finishAll()
        result.account = ledger.account
        result.duration = ClockID.monotonic.now() &- start
        result.threadCPU = ClockID.threadCPU.now()
        return result
    }

    /// Lets probes wait for a moment if the NIC is busy with another timestamp, unless they arrive at a high rate.
    ///
    /// - Returns: true if they have to wait longer.
    private mutating func mustWaitForNIC() -> Bool {
        guard ledger.expected.contains(.hardware) else { return false }
        let now = ClockID.monotonic.now()
        if turn.acquire(now, timeout: (now &- lastAnswered) / 2) {
            lastAnswered = now
            return false
        }
        // This waits for the signal only, since packets are already pending.
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

    /// Ends the reflector after a stop request, once no peer is active: each has closed its session or is silent.
    private mutating func checkForEnd(_ now: Int64) {
        switch control.stop {
        case .no: return
        case .abort: isOver = true
        case .finish:
            let since = finishingSince ?? now
            finishingSince = since
            guard now >= nextEndCheck else { return }
            nextEndCheck = now &+ Self.endCheckIntervalNanoseconds
            let isAtWork = table.sessions.contains { session in
                guard session.isOpen else { return false }
                let isDone = session.isClosing && session.hasMeasured
                let timeout = isDone ? 200_000_000 : max(1_000_000_000, 3 &* session.probeIntervalNanoseconds)
                return now &- session.lastUsed < timeout
            }
            isOver = !isAtWork || now &- since > Self.maximumLingerNanoseconds
        }
    }

    private mutating func report(_ now: Int64) {
        guard now >= nextReport else { return }
        nextReport = now &+ SessionSender.reportIntervalNanoseconds
        if let notice = sendHealth.recovery(now) { push(.notice(notice)) }
        table.expire(now)
        endpoint.readCounters(into: &result.totals)
        push(.totals(result.totals))
    }

    mutating func push(_ event: SessionEvent) {
        if !events.push(event) { result.eventsDropped &+= 1 }
    }

    /// Checks whether this host's clock was set. Call it before replies are written and before their timestamps are
    /// processed: a reply's count of clock steps then applies to its own timestamps and to those that it reports.
    mutating func checkClock() {
        guard let step = clockWatch.read() else { return }
        receiptMayPrecedeStep = true
        phc.forget()
        control.errorEstimate = Housekeeping.unknownError
        guard configuration.reportsClock else { return }
        let entry = ClockStep(
            side: .local, epoch: UInt16(clamping: clockWatch.steps), noticed: ClockID.realtime.now(), sequence: nil,
            amount: step.amount, error: step.error)
        result.clockSteps.add(entry)
        if result.clockSteps.last != nil { push(.notice(.clockSet(entry))) }
    }

    /// The slot of a reply; nil if it is no longer kept.
    func index(ofReply id: UInt32) -> Int? {
        let index = Int(id & mask)
        return replies[index].flags.contains(.inUse) && replies[index].id == id ? index : nil
    }
}

/// The result of a session-reflector.
struct ReflectorResult: Sendable {
    /// `received` counts probes, `sent` counts replies.
    var totals = SessionTotals()
    var rejected = RejectedPackets()
    /// Packets from the reflectors' port: answering them could loop forever.
    var loopsRejected: UInt64 = 0
    /// Packets from addresses that are not allowed.
    var notAllowed: UInt64 = 0
    /// Packets of new sessions that were rejected because the table was full.
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
