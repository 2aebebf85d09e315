import STAMPSession
import STAMPWire

/// What the applications of both hosts have in common: their queues, and how they read their host's clocks.
class SimulatedApp {
    /// A packet in the receive queue.
    struct WaitingPacket {
        var packet: Int
        var received: ReceivedTimes
    }

    let index: Int
    let clock: SimulatedClock
    let log: RowLog
    var kernel: SimulatedKernel
    var random: SplitMix64
    var ledger: LedgerTruth
    var packets = FIFO<WaitingPacket>()
    var stamps = FIFO<Int>()
    /// True if a message found the error queue full since the application last read it.
    var hasFullStampQueue = false
    /// The true time of the next run.
    var nextWake = Int64.max
    /// True if the application's socket is open.
    var isListening = true
    /// The times in which the application does not run, in their order.
    var stalls: [Range<Int64>] = []
    /// The times in which the host is suspended, and receives nothing.
    var suspensions: [Range<Int64>] = []
    /// The mean time from an event to the application that waits for it, and the time for each call.
    var latency: Int64 = 5_000
    var callTime: Int64 = 800
    /// True if timestamps are written off before those that wait in the error queue are read.
    var advancesFirst = false
    private(set) var clockSteps: UInt32 = 0
    private var seen: (count: Int, amount: Int64) = (0, 0)
    private var qualityKnownAt = Int64.min
    private let synchronized: ErrorEstimate
    private let unsynchronized: ErrorEstimate
    private let tracksError: Bool

    /// The time after which a transmit timestamp is written off, as docs/architecture.md has it.
    static let stampTimeout: Int64 = 1_250_000_000

    init(
        _ index: Int, _ host: Scenario.Host, clock: SimulatedClock, log: RowLog, ledger: LedgerTruth,
        random: SplitMix64
    ) {
        self.index = index
        self.clock = clock
        self.log = log
        self.ledger = ledger
        self.random = random
        kernel = host.kernel
        stalls = host.stalls
        suspensions = host.suspensions
        latency = host.latency
        callTime = host.callTime
        advancesFirst = host.advancesFirst
        tracksError = host.tracksError
        let isPTP = host.usesPTPFormat
        synchronized = ErrorEstimate(
            synchronized: clock.bound != nil, isPTP: isPTP, errorNanoseconds: clock.bound ?? 16_000_000_000)
        unsynchronized = ErrorEstimate(synchronized: false, isPTP: isPTP, errorNanoseconds: 16_000_000_000)
    }

    func hostTime(at time: Int64) -> HostTime {
        let realtime = clock.realtime(at: time)
        var estimate = time < qualityKnownAt ? unsynchronized : synchronized
        if tracksError, estimate.synchronized {
            estimate = ErrorEstimate(
                synchronized: true, isPTP: estimate.isPTP, errorNanoseconds: abs(realtime - time) + 1_000)
        }
        return HostTime(
            monotonic: clock.monotonic(at: time), realtime: realtime, errorEstimate: estimate, clockSteps: clockSteps)
    }

    /// Returns the size of the steps of CLOCK_REALTIME since the last check; nil if there was none.
    func detectStep(at time: Int64) -> Int64? {
        let now = clock.steps(until: time)
        guard now.count > seen.count else { return nil }
        let amount = now.amount - seen.amount
        seen = now
        // A step back that follows the same step forward leaves no trace.
        guard abs(amount) > 100 else { return nil }
        clockSteps += 1
        qualityKnownAt = time + clock.settling
        return amount
    }

    /// The first time from `time` on at which the application can run.
    func runnable(from time: Int64) -> Int64 {
        var time = time
        for stall in stalls where stall.contains(time) { time = stall.upperBound }
        for suspension in suspensions where suspension.contains(time) { time = suspension.upperBound }
        return time
    }

    func isSuspended(at time: Int64) -> Bool { suspensions.contains { $0.contains(time) } }

    /// The true time that the application takes to react to an event.
    func reaction() -> Int64 { 300 + random.exponential(mean: latency) }
}
