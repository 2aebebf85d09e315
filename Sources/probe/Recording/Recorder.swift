import LinuxKernel
import Logging
import Report

/// Turns the packet threads' events into log, histograms, lines and statistics. It runs on its own thread, so that a
/// slow disk or terminal delays no packet.
struct Recorder: ~Copyable {
    /// A packet thread's ring.
    struct Source: Sendable {
        let ring: SPSCRing<SessionEvent>
        /// True if its rows are of the local session. The statistics are about that session alone.
        let isLocalSession: Bool
        /// True if its rows are written to the log.
        var isLogged = true
    }

    private let sources: [Source]
    private let control: StopSignal
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

    init(
        sources: [Source], control: StopSignal, logger: Logger, log: consuming LogFile?,
        console: consuming Console, samples: SampleJoin? = nil
    ) {
        self.samples = samples
        self.sources = sources
        self.control = control
        self.logger = logger
        self.log = log
        result.statistics = SessionStatistics(tracksIntervals: console.isLive)
        self.console = console
        totals = Array(repeating: SessionTotals(), count: sources.count)
        startedAt = ClockID.monotonic.now()
        nextLive = startedAt &+ 1_000_000_000
        nextStatistics = startedAt &+ Self.statisticsIntervalNanoseconds
    }

    static let statisticsIntervalNanoseconds: Int64 = 5_000_000_000
    /// The time between two reads of the rings, in nanoseconds, while events are frequent and while they are rare.
    private static let busyPollIntervalNanoseconds: Int64 = 5_000_000
    private static let idlePollIntervalNanoseconds: Int64 = 50_000_000
    /// The number of events after which the recorder polls at the shorter interval.
    private static let busyEventThreshold = 256
    /// The number of events that are read from a ring at a time.
    private static let eventsPerRead = 1 << 14
    /// The number of violations that are reported when they are found.
    private static let violationLimit = 3

    /// Records events until the stop signal is raised and the rings are empty.
    mutating func run() -> RecorderResult {
        while true {
            // The signal is read first, so that events that were pushed before it are still read.
            let isLast = control.isRaised
            let taken = drain()
            let now = ClockID.monotonic.now()
            joinSamples(now, isLast: isLast)
            tick(now)
            if isLast { break }
            let pollInterval =
                taken > Self.busyEventThreshold ? Self.busyPollIntervalNanoseconds : Self.idlePollIntervalNanoseconds
            _ = try? control.signal.descriptor.waitForInput(timeout: pollInterval)
        }
        result.samples = samples?.close()
        writeLog { log throws(SystemError) in try log.flush(0) }
        console.clearLiveLine()
        console.flush(timeout: RunOutputs.outputTimeoutNanoseconds)
        if console.linesDropped > 0 {
            logger.warning("\(console.linesDropped) lines were dropped: standard output was read too slowly.")
        }
        return result
    }

    /// Reads pending events, up to a limit for each ring so that the recorder's other work is not delayed.
    private mutating func drain() -> Int {
        var taken = 0
        let now = ClockID.monotonic.now()
        for (position, source) in sources.enumerated() {
            var room = control.isRaised ? Int.max : Self.eventsPerRead
            while room > 0, let event = source.ring.pop() {
                room -= 1
                taken += 1
                switch event {
                case .row(let record, let lateness):
                    guard samples == nil else {
                        samples?.add(
                            SampleJoin.Row(
                                record: record, lateness: lateness, source: position,
                                isLocalSession: source.isLocalSession, at: now))
                        continue
                    }
                    self.record(record, lateness, source)
                case .totals(let new): totals[position] = new
                case .notice(let notice): report(notice)
                }
            }
        }
        return taken
    }

    /// Records the rows that have waited for their samples.
    private mutating func joinSamples(_ now: Int64, isLast: Bool) {
        samples?.receiveSamples(now)
        while let (row, violation) = samples?.release(now, isLast: isLast) {
            record(row.record, row.lateness, sources[row.source])
            guard let violation, violationsReported < Self.violationLimit else { continue }
            violationsReported += 1
            console.clearLiveLine()
            let more = violationsReported == Self.violationLimit ? " Further ones are only counted." : ""
            logger.warning("A clock or a timestamp is wrong: \(violation.text).\(more)")
        }
    }

    private mutating func record(_ record: PacketRecord, _ lateness: Int64?, _ source: Source) {
        if source.isLocalSession {
            result.statistics.add(record)
            if let lateness { result.lateness.record(lateness) }
            console.append(record)
        } else if !sources.contains(where: \.isLocalSession) {
            console.append(record)
        }
        if source.isLogged { writeLog { log throws(SystemError) in try log.append(record) } }
    }

    private mutating func writeLog(_ body: (inout LogFile) throws(SystemError) -> Void) {
        guard var open = log.take() else { return }
        do throws(SystemError) {
            try body(&open)
            log = consume open
        } catch {
            // The run continues without its log.
            result.logFailure = error
            logger.error("The log ends here, and the measurement continues: \(error)")
        }
    }

    private mutating func tick(_ now: Int64) {
        writeLog { log throws(SystemError) in try log.flush(ifDueAt: now) }
        if now >= nextStatistics {
            nextStatistics = now &+ Self.statisticsIntervalNanoseconds
            console.append(StatisticsLine(socketCounters))
        }
        console.flush()
        if console.isLive, now >= nextLive {
            nextLive = now &+ 1_000_000_000
            if let local = sources.firstIndex(where: \.isLocalSession) { showLiveLine(totals[local], now) }
        }
    }

    private mutating func showLiveLine(_ totals: SessionTotals, _ now: Int64) {
        console.setLiveLine(
            LiveLine(
                elapsed: now &- startedAt, sent: totals.sent, received: totals.received,
                lostForward: totals.lostForward, lostReverse: totals.lostReverse, lostUnknown: totals.lostUnknown,
                notSent: totals.notSent,
                interval: result.statistics.interval,
                relative: result.statistics.forward.newest.largestDelayError == nil
            ).text(width: console.width))
        result.statistics.startInterval()
    }

    private var socketCounters: RunSummary.SocketCounters {
        totals.reduce(into: RunSummary.SocketCounters()) { sum, totals in
            sum.packets &+= totals.socketPackets
            sum.drops &+= totals.socketDrops
            sum.freezes &+= totals.queueFreezes
        }
    }

    private mutating func report(_ notice: SessionNotice) {
        console.clearLiveLine()
        let (level, text) = notice.message
        logger.log(level: level, "\(text)")
    }
}

/// The result of a recorder.
struct RecorderResult: Sendable {
    var statistics = SessionStatistics()
    /// Times from the probes' deadlines to their sending, in nanoseconds.
    var lateness = SignedHistogram()
    var logFailure: SystemError?
    /// The comparison with the samples; nil if none were requested.
    var samples: SampleComparison?
}
