import LinuxKernel
import Logging
import NetworkAddresses
import Report
import STAMPSession

/// Turns the endpoint's events into log, histograms, lines and statistics. It runs on its own thread, so that a slow disk
/// or terminal delays no packet.
struct Recorder: ~Copyable {
    private let sessions: [NamedPeer]
    private let logsReflected: Bool
    private let ring: SPSCRing<SessionEvent>
    private let stop: StopSignal
    private let logger: Logger
    private var log: LogFile?
    private var console: Console
    private var result = RecorderResult()
    private let startedAt: Int64
    private var nextLive: Int64
    private var nextStatistics: Int64
    private var totals: [SessionTotals]
    /// nil if no samples are requested.
    private var samples: SampleJoin?
    private var violationsReported = 0

    /// - Parameters:
    ///   - sessions: the peers of this host's sessions; empty if it only answers.
    ///   - window: the sequence numbers within which the rows of a session are matched.
    ///   - logsReflected: true if the rows of sessions that this host answers are written to the log.
    init(
        sessions: [NamedPeer], window: Int, logsReflected: Bool, _ threads: EndpointThreads, logger: Logger,
        log: consuming LogFile?, console: consuming Console, samples: SampleJoin? = nil
    ) {
        self.sessions = sessions
        self.logsReflected = logsReflected
        self.samples = samples
        ring = threads.ring
        stop = threads.recorderStop
        self.logger = logger
        self.log = log
        // A live line shows one session.
        let tracksIntervals = console.isLive && sessions.count == 1
        result.sessions = sessions.map { _ in
            RecordedSession(tracksIntervals: tracksIntervals, window: window)
        }
        self.console = console
        totals = Array(repeating: SessionTotals(), count: sessions.count)
        startedAt = ClockID.monotonic.now()
        nextLive = startedAt &+ 1_000_000_000
        nextStatistics = startedAt &+ Self.statisticsIntervalNanoseconds
    }

    static let statisticsIntervalNanoseconds: Int64 = 5_000_000_000
    /// The time between two reads of the ring, in nanoseconds, while events are frequent and while they are rare.
    private static let busyPollIntervalNanoseconds: Int64 = 5_000_000
    private static let idlePollIntervalNanoseconds: Int64 = 50_000_000
    /// The number of events after which the recorder polls at the shorter interval.
    private static let busyEventThreshold = 256
    /// The number of events that are read from the ring at a time.
    private static let eventsPerRead = 1 << 14
    /// The number of violations that are reported when they are found.
    private static let violationLimit = 3

    /// Records events until the stop signal is raised and the ring is empty.
    mutating func run() -> RecorderResult {
        while true {
            // The signal is read first, so that events that were pushed before it are still read.
            let isLast = stop.isRaised
            let taken = drain(isLast: isLast)
            let now = ClockID.monotonic.now()
            joinSamples(now, isLast: isLast)
            tick(now)
            if isLast { break }
            let pollInterval =
                taken > Self.busyEventThreshold ? Self.busyPollIntervalNanoseconds : Self.idlePollIntervalNanoseconds
            _ = try? stop.signal.descriptor.waitForInput(timeout: pollInterval)
        }
        result.samples = samples?.close()
        do throws(SystemError) { try log?.flush(0) } catch { endLog(error) }
        console.clearLiveLine()
        console.flush(timeout: RunOutputs.outputTimeoutNanoseconds)
        if console.linesDropped > 0 {
            logger.warning("\(console.linesDropped) lines were dropped: standard output was read too slowly.")
        }
        return result
    }

    /// Reads pending events, up to a limit so that the recorder's other work is not delayed.
    private mutating func drain(isLast: Bool) -> Int {
        let ring = ring
        let now = ClockID.monotonic.now()
        var taken = 0
        while taken < Self.eventsPerRead || isLast, ring.pop({ handle($0, now) }) { taken += 1 }
        return taken
    }

    private mutating func handle(_ event: SessionEvent, _ now: Int64) {
        switch event {
        case .row(let record, let lateness, let source):
            if samples == nil { return self.record(record, lateness, source) }
            samples?.add(SampleJoin.Row(record: record, lateness: lateness, source: source, at: now))
        case .totals(let new, .local(let session)): totals[Int(session)] = new
        case .totals(_, .reflected): break
        case .notice(let notice, let source): report(notice.message, source)
        case .nextHop(let address, let source):
            report((.notice, "The next hop's MAC address is now \(address)."), source)
        case .receiveFailed(let code, let role): report(role.receiveFailure(code), .reflected)
        case .socket(let packets, let drops, let freezes):
            result.socket = RunSummary.SocketCounters(packets: packets, drops: drops, freezes: freezes)
        }
    }

    /// Records the rows that have waited for their samples.
    private mutating func joinSamples(_ now: Int64, isLast: Bool) {
        samples?.receiveSamples(now)
        while let (row, violation) = samples?.release(now, isLast: isLast) {
            record(row.record, row.lateness, row.source)
            guard let violation, violationsReported < Self.violationLimit else { continue }
            violationsReported += 1
            console.clearLiveLine()
            let more = violationsReported == Self.violationLimit ? " Further ones are only counted." : ""
            logger.warning("A clock or a timestamp is wrong: \(violation.text).\(more)")
        }
    }

    private mutating func record(_ record: PacketRecord, _ lateness: Int64?, _ source: EventSource) {
        switch source {
        case .local(let session):
            result.sessions[Int(session)].add(record, lateness: lateness)
            console.append(record)
        case .reflected:
            if sessions.isEmpty { console.append(record) }
            guard logsReflected else { return }
        }
        do throws(SystemError) { try log?.append(record) } catch { endLog(error) }
    }

    /// Ends the log after a failure. The run continues without it.
    private mutating func endLog(_ error: SystemError) {
        log = nil
        result.logFailure = error
        logger.error("The log ends here, and the measurement continues: \(error)")
    }

    private mutating func tick(_ now: Int64) {
        do throws(SystemError) { try log?.flush(ifDueAt: now) } catch { endLog(error) }
        if now >= nextStatistics {
            nextStatistics = now &+ Self.statisticsIntervalNanoseconds
            console.append(StatisticsLine(result.socket))
        }
        console.flush()
        if console.isLive, !sessions.isEmpty, now >= nextLive {
            nextLive = now &+ 1_000_000_000
            showLiveLine(now)
        }
    }

    /// Shows the totals of all sessions, and the delays of the only one.
    private mutating func showLiveLine(_ now: Int64) {
        let all = totals.reduce(into: SessionTotals()) { $0.add($1) }
        console.setLiveLine(
            LiveLine(
                elapsed: now &- startedAt, sent: all.sent, received: all.received,
                lostForward: all.sequence.lostForward, lostReverse: all.sequence.lostReverse,
                lostUnknown: all.sequence.lostUnknown, notSent: all.notSent,
                interval: result.sessions[0].statistics.interval,
                relative: result.sessions[0].statistics.forward.newest.largestDelayError == nil
            ).text(width: console.width))
        if sessions.count == 1 { result.sessions[0].statistics.startInterval() }
    }

    /// Reports a notice, with the peer's name if there are several.
    private mutating func report(_ message: (level: Logger.Level, text: String), _ source: EventSource) {
        console.clearLiveLine()
        var prefix = ""
        if case .local(let session) = source, sessions.count > 1 { prefix = "\(sessions[Int(session)]): " }
        logger.log(level: message.level, "\(prefix)\(message.text)")
    }
}

/// The statistics of one session.
struct RecordedSession: Sendable {
    var statistics: SessionStatistics
    /// Times from the probes' deadlines to their sending, in nanoseconds.
    var lateness = SignedHistogram()

    init(tracksIntervals: Bool, window: Int) {
        statistics = SessionStatistics(tracksIntervals: tracksIntervals, window: window)
    }

    mutating func add(_ record: PacketRecord, lateness new: Int64?) {
        statistics.add(record)
        if let new { lateness.record(new) }
    }
}

/// The result of a recorder.
struct RecorderResult: Sendable {
    /// The statistics of this host's sessions, in their order.
    var sessions: [RecordedSession] = []
    var socket = RunSummary.SocketCounters()
    var logFailure: SystemError?
    /// The comparison with the samples; nil if none were requested.
    var samples: SampleComparison?
}
