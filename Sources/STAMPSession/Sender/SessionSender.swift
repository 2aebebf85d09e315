import Report
import STAMPWire

/// A session-sender as a state machine: it says when probes are due, writes them, and turns replies and transmit
/// timestamps into two rows for each probe.
///
/// It opens no socket, starts no thread and reads no clock. The caller passes what happened with the time at which it
/// did, in the order of time, and sends what the session writes:
///
/// 1. When ``deadline`` has passed, call ``advance(to:stampsBefore:)``, and while ``isProbeDue(at:)``
///    ``writeProbe(into:at:)``.
/// 2. For each probe that was written, in their order, call ``recordSent(_:at:)`` or ``recordRefusal(_:code:at:)``.
/// 3. For each reply call ``receive(_:_:at:)``, and for each message with transmit timestamps ``record(_:of:at:)``.
/// 4. When ``phase`` is `.over`, call ``finish(at:)``.
public struct SessionSender: ~Copyable {
    // The compiler passes to a method that only reads a copy of the session, of 1.4 KB. Those on a packet's way are
    // therefore inlined, or mutating.

    public let configuration: Configuration
    let host: any SessionHost

    public internal(set) var phase = Phase.opening
    var stop = Stop.no
    @usableFromInline var slots: SequenceRing<ProbeSlot>
    /// The oldest sequence number whose rows are not finished, and the oldest that may wait for transmit timestamps.
    var oldest: UInt32 = 0
    var oldestWaiting: UInt32 = 0
    /// Probes before this one were sent before the error queue was last found full.
    var fullQueue: UInt32?
    @usableFromInline var book: TransmitBook
    var order: ReplyOrder
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
    var stampedProbes: TelemetryQueue
    var receivedReplies: TelemetryQueue
    /// The closing probe that carried the last report of both.
    var lastUpdateSequence: UInt32?
    var peerInstance: UInt64?
    var peerSendsFollowUps = false
    /// The number of all replies, and the time of the newest in CLOCK_MONOTONIC nanoseconds.
    var repliesReceived: UInt64 = 0
    var lastReplyAt: Int64

    var result: SenderResult
    /// The creation of the session, and the start of its phase, in CLOCK_MONOTONIC nanoseconds, as for all deadlines.
    let created: Int64
    var phaseBegan: Int64
    @usableFromInline var nextSend: Int64
    @usableFromInline var nextReport: Int64
    var schedule: Schedule
    /// The measured probes that were due, and the probes of the current phase.
    var attempts: UInt64 = 0
    var phaseAttempts: UInt64 = 0
    var restartNotices = NoticeLimit()
    var sending: SendHealth
    var silence = ReplySilence()
    var hasWarnedOfClocks = false
    var hasReportedSkippedDeadlines = false
    var hasReportedWaiting = false

    /// Creates a session that is due at once.
    ///
    /// - Parameter host: receives the records and notices.
    public init(_ configuration: Configuration, host: any SessionHost, at now: HostTime) {
        self.configuration = configuration
        self.host = host
        let interval = max(1, configuration.intervalNanoseconds)
        schedule = Schedule(configuration.schedule, intervalNanoseconds: interval)
        sending = SendHealth(.sender, interval: interval)
        let capacity = Self.slotCount(configuration)
        slots = SequenceRing(capacity: capacity, empty: ProbeSlot())
        order = ReplyOrder(capacity: capacity)
        stampedProbes = TelemetryQueue(capacity: min(capacity, Self.maximumTelemetry))
        receivedReplies = TelemetryQueue(capacity: min(capacity, Self.maximumTelemetry))
        book = TransmitBook(expecting: configuration.expectedStamps)
        result = SenderResult(ClockRelation(localBootHash: configuration.host.bootHash))
        phaseBegan = now.monotonic
        lastReplyAt = now.monotonic
        created = now.monotonic
        nextSend = now.monotonic
        nextReport = now.monotonic &+ Self.reportIntervalNanoseconds
        epochs.follow(localSteps: now.clockSteps)
    }

    /// The number of slots: a probe needs one for twice the timeout, and until the reply to the next probe, which carries
    /// the follow-up.
    static func slotCount(_ configuration: Configuration) -> Int {
        let interval = max(1, configuration.intervalNanoseconds)
        let inFlight = 2 &* configuration.timeoutNanoseconds / interval
        var size: UInt32 = 1
        if case .burst(let burst) = configuration.schedule { size = max(1, burst) }
        return Int(min(Int64(maximumSlots), max(0, inFlight) + 2 * Int64(size) + Int64(spareSlots)))
    }

    /// The largest number of probes that are kept, and the slots beyond those of twice the timeout.
    static let maximumSlots = 1 << 18
    static let spareSlots = 14
    /// The largest number of packets whose timestamps wait to be reported to the peer.
    private static let maximumTelemetry = 1024
    /// The time between two reports of totals.
    static let reportIntervalNanoseconds: Int64 = 1_000_000_000
    /// The time between opening probes, and between closing probes after the first few.
    @inlinable static var openingIntervalNanoseconds: Int64 { 50_000_000 }
    static let closingIntervalNanoseconds: Int64 = 20_000_000
    /// The time after which the measurement begins even if the peer has not answered.
    static let openingTimeoutNanoseconds: Int64 = 10_000_000_000
    /// Deadlines that are missed by more are skipped, so that a suspended host does not send a flood when it resumes.
    static let maximumLatenessNanoseconds: Int64 = 100_000_000

    /// The time at which the session has something to do, in CLOCK_MONOTONIC nanoseconds: it sends, or writes off what
    /// did not come. `.max` when it is over.
    @inlinable
    public var deadline: Int64 {
        guard phase != .over else { return .max }
        // A report waits for a probe that is due soon, which saves a wake-up.
        return nextSend &- nextReport < Self.openingIntervalNanoseconds ? nextSend : nextReport
    }

    /// True if no reply was received for longer than the timeout.
    public var isPeerSilent: Bool = false

    /// The next sequence number.
    @inlinable var next: UInt32 { slots.next }

    /// Requests a stop. A later request can only be more urgent. It takes effect with the next ``advance(to:stampsBefore:)``.
    public mutating func requestStop(_ stop: Stop) { self.stop = max(self.stop, stop) }

    /// Does everything that is due, apart from sending: enters the next phase, writes off what has not arrived in time,
    /// and reports.
    ///
    /// - Parameter stampsBefore: transmit timestamps of packets that were sent earlier are written off, in
    ///   CLOCK_MONOTONIC nanoseconds.
    public mutating func advance(to now: HostTime, stampsBefore: Int64) {
        guard phase != .over else { return }
        enterNextPhase(now)
        writeOffStamps(sentBefore: stampsBefore, now)
        sweep(now)
        report(now)
    }

    /// Ends the session: writes the rows of all remaining probes.
    ///
    /// - Returns: the results.
    public mutating func finish(at now: HostTime) -> SenderResult {
        enter(.over, now)
        finishAll(now)
        reportPending()
        result.outages.finish(isOpen: now.monotonic &- lastReplyAt >= Outages.minimumDurationNanoseconds)
        result.ledger = book.ledger
        result.unknownStamps = book.unknownStamps
        return result
    }
}
