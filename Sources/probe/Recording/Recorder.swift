import LinuxKernel
import Logging
import Report

/// Takes the packet threads' events and turns them into log, histograms, lines and statistics, on a thread of its own:
/// a slow disk or terminal holds up no packet.
struct Recorder: ~Copyable {
    /// A packet thread's ring.
    struct Source: Sendable {
        let ring: SPSCRing<SessionEvent>
        /// Whether its rows are of the own session, which alone the statistics are about.
        let isLocalSession: Bool
        /// Whether its rows go into the log.
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
    /// nil: nobody listens to the packet sampler.
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
        nextStatistics = startedAt &+ Self.statisticsInterval
    }

    static let statisticsInterval: Int64 = 5_000_000_000
    /// Nanoseconds between two looks at the rings: the short one while there is much to do.
    private static let shortPause: Int64 = 5_000_000
    private static let share = 1 << 14
    /// Violations of the order that are told at once.
    private static let violationsReported = 3
    private static let longPause: Int64 = 50_000_000

    /// Records until it is told to end and the rings are empty.
    mutating func run() -> RecorderResult {
        while true {
            // Read first: what is pushed before the end is asked for is then still seen.
            let isLast = control.isRaised
            let taken = drain()
            let now = ClockID.monotonic.now()
            joinSamples(now, isLast: isLast)
            tick(now)
            if isLast { break }
            let pause = taken > 256 ? Self.shortPause : Self.longPause
            _ = try? control.signal.descriptor.waitForInput(timeout: pause)
        }
        result.samples = samples?.close()
        writeLog { log throws(SystemError) in try log.flush(0) }
        console.clearLiveLine()
        console.flush(timeout: RunOutputs.timeout)
        if console.linesDropped > 0 {
            logger.warning("\(console.linesDropped) lines were left out: standard output was read too slowly.")
        }
        return result
    }

    /// Takes what is there, up to a limit for each ring: what else is due each time must not wait for ever.
    private mutating func drain() -> Int {
        var taken = 0
        let now = ClockID.monotonic.now()
        for (position, source) in sources.enumerated() {
            var room = control.isRaised ? Int.max : Self.share
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

    /// Enters the rows that have waited for their samples.
    private mutating func joinSamples(_ now: Int64, isLast: Bool) {
        samples?.receiveSamples(now)
        while let (row, violation) = samples?.release(now, isLast: isLast) {
            record(row.record, row.lateness, sources[row.source])
            guard let violation, violationsReported < Self.violationsReported else { continue }
            violationsReported += 1
            console.clearLiveLine()
            let more = violationsReported == Self.violationsReported ? " More are counted." : ""
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
            // Without its log from here on.
            result.logFailure = error
            logger.error("The log ends here: \(error)")
        }
    }

    private mutating func tick(_ now: Int64) {
        writeLog { log throws(SystemError) in try log.flush(ifDueAt: now) }
        if now >= nextStatistics {
            nextStatistics = now &+ Self.statisticsInterval
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

/// What a recorder leaves.
struct RecorderResult: Sendable {
    var statistics = SessionStatistics()
    /// How long after their deadlines probes were sent, in nanoseconds.
    var lateness = SignedHistogram()
    var logFailure: SystemError?
    /// What the packet sampler saw; nil where nobody listened to it.
    var samples: SampleComparison?
}
