import HostClocks
import LinuxKernel
import Report

/// Joins the kernel's samples with the rows of their packets, on the recorder's thread.
///
/// A sample is there before its packet's row as a rule, for rows wait for timestamps and replies; it is kept until that comes.
/// Its listener may be late, so each row waits for its sample in turn, for a time that has a bound. What comes later is
/// counted.
struct SampleJoin {
    /// A row that is held until its sample can be expected.
    struct Row {
        var record: PacketRecord
        var lateness: Int64?
        /// The ring that it came over.
        var source: Int
        var isLocalSession: Bool
        /// CLOCK_MONOTONIC.
        var at: Int64
    }

    /// Nanoseconds that a row waits.
    static let timeout: Int64 = 100_000_000
    /// Rows that are held at most: beyond it the oldest waits no longer.
    static let rowLimit = 1 << 17
    /// The newest samples are kept, the others given up.
    static let sampleLimit = 1 << 18
    /// Samples of one number that are further apart are of two sessions of the peer's, from one port.
    static let copyLimit: Int64 = 1_000_000_000
    /// A step explains what was timestamped so near to when it was noticed.
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
    ///   - ring: what the listener hears.
    ///   - localPort: the one that the own session sends from.
    ///   - timeout: after twice that a probe's rows are written even without a reply.
    init(group: UInt32, ring: SPSCRing<PendingSample>, localPort: UInt16, timeout: Int64) {
        statistics = SampleComparison(group: group)
        self.ring = ring
        self.localPort = localPort
        // The last timestamps of a reply may come later than that.
        lifetime = 2 * timeout + 4_000_000_000
    }

    /// Takes the samples that have come, and looks whether the clock was set.
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

    /// This host's clock was set.
    ///
    /// - Parameter noticed: by the clock as it is now.
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

    /// The next row that has waited long enough, with its sample where that has come.
    ///
    /// - Parameter isLast: no more will come.
    mutating func release(_ now: Int64, isLast: Bool) -> (row: Row, violation: SampleViolation?)? {
        guard let oldest = rows.first, isLast || now &- oldest.at >= Self.timeout || rows.count > Self.rowLimit
        else { return nil }
        var row = oldest
        rows.removeFirst()
        let violation = join(&row)
        return (row, violation)
    }

    /// What is left at the end.
    mutating func close() -> SampleComparison {
        statistics.withoutRow &+= UInt64(waiting.count)
        waiting.removeAll()
        return statistics
    }

    /// - Returns: a violation of the order that no step explains.
    private mutating func join(_ row: inout Row) -> SampleViolation? {
        let record = row.record
        var probability: Double?
        var violation: SampleViolation?
        // Whose copy a sample is of nobody knows.
        if record.status != .duplicate, record.status != .corrupt,
            let key = PendingSample.key(record, isLocalSession: row.isLocalSession, localPort: localPort),
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

    /// Whether the clock was set back between the two moments, by enough.
    private func isExplained(_ violation: SampleViolation) -> Bool {
        steps.contains { step in
            let (distance, isFar) = violation.second.time.subtractingReportingOverflow(step.noticed)
            let (by, isHuge) = violation.first.time.subtractingReportingOverflow(violation.second.time)
            return !isFar && distance.magnitude <= UInt64(Self.stepLimit) && step.amount < 0
                && (isHuge || by.magnitude <= step.amount.magnitude &+ step.error.magnitude)
        }
    }
}
