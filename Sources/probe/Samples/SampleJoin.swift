import HostClocks
import LinuxKernel
import Report

/// Matches the kernel's samples with the rows of their packets, on the recorder's thread.
///
/// Usually a sample arrives before its packet's row, since rows wait for timestamps and replies; it is kept until the
/// row arrives. If the sample listener is late, each row waits for its sample, up to a timeout. Samples that arrive
/// later are counted as unmatched.
struct SampleJoin {
    /// A row that waits for its sample.
    struct Row {
        var record: PacketRecord
        var lateness: Int64?
        var source: EventSource
        /// The time of its arrival, in CLOCK_MONOTONIC nanoseconds.
        var at: Int64
    }

    /// The time that a row waits, in nanoseconds.
    static let timeout: Int64 = 100_000_000
    /// The number of waiting rows; beyond it, the oldest is released.
    static let rowLimit = 1 << 17
    /// The number of waiting samples; beyond it, the oldest are discarded.
    static let sampleLimit = 1 << 18
    /// The time between two samples with the same sequence number, in nanoseconds, above which they belong to two
    /// sessions of the peer from the same port.
    static let copyLimit: Int64 = 1_000_000_000
    /// The time from a clock step's detection, in nanoseconds, within which it explains timestamps out of order.
    static let stepLimit: Int64 = 2_000_000_000

    private(set) var statistics: SampleComparison
    private let ring: SPSCRing<PendingSample>
    private let localPort: UInt16
    private let lifetime: Int64
    private var waiting: [UInt64: (sample: PendingSample, at: Int64)] = [:]
    private var order = FIFO<(key: UInt64, at: Int64)>()
    private var rows = FIFO<Row>()
    private var clock = ClockStepWatch()
    private var steps: [(noticed: Int64, amount: Int64, error: Int64)] = []

    /// - Parameters:
    ///   - ring: the ring of the sample listener.
    ///   - localPort: the port that the local session sends from.
    ///   - timeout: half the time after which a probe's rows are written without a reply, in nanoseconds.
    init(group: UInt32, ring: SPSCRing<PendingSample>, localPort: UInt16, timeout: Int64) {
        statistics = SampleComparison(group: group)
        self.ring = ring
        self.localPort = localPort
        // The last timestamps of a reply can arrive later than that.
        lifetime = 2 * timeout + 4_000_000_000
    }

    /// Reads the samples that have arrived, and checks for a clock step.
    mutating func receiveSamples(_ now: Int64) {
        while let sample = ring.pop() { handle(sample, now) }
        while let oldest = order.first, now &- oldest.at > lifetime || order.count > Self.sampleLimit {
            order.removeFirst()
            discard(oldest.key, oldest.at)
        }
        if let step = clock.read() {
            record(stepBy: step.amount, error: step.error, noticed: ClockID.realtime.now())
        }
    }

    /// Records a step of this host's clock.
    ///
    /// - Parameter noticed: the time of its detection, by the clock after the step.
    mutating func record(stepBy amount: Int64, error: Int64, noticed: Int64) {
        if steps.count == 16 { steps.removeFirst() }
        steps.append((noticed, amount, error))
    }

    private mutating func handle(_ sample: PendingSample, _ now: Int64) {
        if let old = waiting[sample.key] {
            guard now &- old.at > Self.copyLimit else { return statistics.repeated &+= 1 }
            statistics.withoutRow &+= 1
        }
        waiting[sample.key] = (sample, now)
        order.append((sample.key, now))
    }

    private mutating func discard(_ key: UInt64, _ at: Int64) {
        guard let old = waiting[key], old.at == at else { return }
        waiting[key] = nil
        statistics.withoutRow &+= 1
    }

    mutating func add(_ row: Row) { rows.append(row) }

    /// Removes the next row that has waited long enough, with its sample if that has arrived.
    ///
    /// - Parameter isLast: true at the end of the run, when no more samples arrive.
    mutating func release(_ now: Int64, isLast: Bool) -> (row: Row, violation: SampleViolation?)? {
        guard let oldest = rows.first, isLast || now &- oldest.at >= Self.timeout || rows.count > Self.rowLimit
        else { return nil }
        var row = oldest
        rows.removeFirst()
        let violation = join(&row)
        return (row, violation)
    }

    /// Counts the remaining samples as unmatched, and returns the statistics.
    mutating func close() -> SampleComparison {
        statistics.withoutRow &+= UInt64(waiting.count)
        waiting.removeAll()
        return statistics
    }

    /// Matches a row with its sample.
    ///
    /// - Returns: a violation of the order that no clock step explains.
    private mutating func join(_ row: inout Row) -> SampleViolation? {
        let record = row.record
        var probability: Double?
        var violation: SampleViolation?
        // The sample of a duplicate cannot be identified.
        if record.status != .duplicate, record.status != .corrupt,
            let key = PendingSample.key(record, isLocalSession: row.source != .reflected, localPort: localPort),
            let found = waiting[key]
        {
            waiting[key] = nil
            row.record.sample = found.sample.time
            row.record.sampleLatency = found.sample.latency
            probability = found.sample.probability
            violation = row.record.orderViolation()
            row.record.sampleOrder = violation.map { isExplained($0) ? .clockSet : .violated } ?? .kept
        }
        statistics.add(row.record, violation, probability: probability)
        return row.record.sampleOrder == .violated ? violation : nil
    }

    /// Returns whether a backward clock step between the two times is large enough to explain the violation.
    private func isExplained(_ violation: SampleViolation) -> Bool {
        steps.contains { step in
            let (distance, isFar) = violation.second.time.subtractingReportingOverflow(step.noticed)
            let (by, isHuge) = violation.first.time.subtractingReportingOverflow(violation.second.time)
            return !isFar && distance.magnitude <= UInt64(Self.stepLimit) && step.amount < 0
                && (isHuge || by.magnitude <= step.amount.magnitude &+ step.error.magnitude)
        }
    }
}
