/// The statistics of one session, from its rows.
///
/// Add each row once, in any order within a window: rows of one probe and of consecutive sequence numbers are matched
/// within it. All rows are counted, and rows with the status ok or reordered are in the delay statistics. Memory follows
/// the spread of the values: no row causes an allocation once the histograms cover it.
public struct SessionStatistics: Sendable {
    /// The largest number of clock epochs whose delays are kept. Delays of later ones are only counted, to bound the
    /// memory.
    public static let epochLimit = 16
    /// The largest window that ``window(intervalNanoseconds:timeoutNanoseconds:burst:)`` returns.
    public static let windowLimit = 8192

    /// The delays since `startInterval()`, for a live display.
    public struct Interval: Sendable {
        /// One-way delays of the probes, in nanoseconds.
        public internal(set) var forward = SignedHistogram()
        /// One-way delays of the replies, in nanoseconds.
        public internal(set) var reverse = SignedHistogram()
        /// Round-trip delays, in nanoseconds.
        public internal(set) var roundTrip = SignedHistogram()
        /// The clock epoch of the one-way delays: the newest.
        var epoch: UInt16 = 0
    }

    /// The statistics of the probes.
    public private(set) var forward = DirectionStatistics()
    /// The statistics of the replies.
    public private(set) var reverse = DirectionStatistics()
    /// The delays since `startInterval()`; empty unless intervals are tracked.
    public private(set) var interval = Interval()
    /// Round-trip delays without the time in the reflector, in nanoseconds: forward plus reverse delay of one sequence
    /// number. The offset between the clocks cancels, so they are exact without synchronisation.
    public var roundTrip: SignedHistogram { roundTrips.histogram(forward.basis, reverse.basis) }

    private var roundTrips = RoundTrips()
    private var table: DelayTable
    private let tracksIntervals: Bool

    /// Creates statistics without rows.
    ///
    /// - Parameters:
    ///   - tracksIntervals: True to keep `interval`, which costs a second histogram entry for each delay.
    ///   - window: The number of sequence numbers within which rows are matched.
    public init(tracksIntervals: Bool = false, window: Int = windowLimit) {
        self.tracksIntervals = tracksIntervals
        table = DelayTable(capacity: window)
    }

    /// Returns the window for a session's rows, which are complete within twice the timeout: twice as many sequence
    /// numbers as that, from 64 to ``windowLimit``.
    ///
    /// - Parameters:
    ///   - intervalNanoseconds: The mean time between two probes, in nanoseconds.
    ///   - timeoutNanoseconds: The time to wait for a reply, in nanoseconds.
    ///   - burst: The number of probes that are sent at a time.
    public static func window(intervalNanoseconds: Int64, timeoutNanoseconds: Int64, burst: Int = 1) -> Int {
        let limit = Int64(windowLimit)
        let pending = min(max(0, timeoutNanoseconds) / max(1, intervalNanoseconds), limit)
        let ofBurst = min(max(0, Int64(burst)), limit)
        return Int(min(max(2 * (2 * pending + ofBurst), 64), limit))
    }

    /// Adds one row.
    public mutating func add(_ record: PacketRecord) {
        let delay = record.packet == .probe ? Self.add(record, to: &forward) : Self.add(record, to: &reverse)
        guard let delay, table.insert(delay, sequence: record.sequence, packet: record.packet) else { return }
        addVariation(of: delay, record)
        addRoundTrip(of: delay, record)
        if tracksIntervals { addToInterval(delay, record.packet) }
    }

    /// Empties `interval` and keeps its memory.
    public mutating func startInterval() {
        interval.forward.reset()
        interval.reverse.reset()
        interval.roundTrip.reset()
    }

    private mutating func addToInterval(_ delay: DelayTable.Delay, _ packet: PacketKind) {
        if delay.epoch > interval.epoch {
            interval.epoch = delay.epoch
            interval.forward.reset()
            interval.reverse.reset()
        }
        guard delay.epoch == interval.epoch else { return }
        if packet == .probe {
            if forward.shows(delay.basis) { interval.forward.record(delay.value) }
        } else if reverse.shows(delay.basis) {
            interval.reverse.record(delay.value)
        }
    }

    /// Adds a row to the statistics of its direction.
    ///
    /// - Returns: the row's delay; nil if it is not in the delay statistics.
    @inline(__always)
    private static func add(_ record: PacketRecord, to side: inout DirectionStatistics) -> DelayTable.Delay? {
        side.counts.add(record.status)
        guard record.status.isInDelayStatistics else { return nil }
        guard let epoch = record.clockEpoch else {
            side.crossing &+= 1
            return nil
        }
        side.stages.add(record)
        guard let value = record.delay, let basis = record.delayBasis else { return nil }
        side.add(value, record.delayError, basis, epoch: epoch)
        return DelayTable.Delay(value: value, basis: basis, epoch: epoch)
    }

    /// Records the IPDV of the pairs that this row completes: with the previous packet and with the next one.
    @inline(__always)
    private mutating func addVariation(of delay: DelayTable.Delay, _ record: PacketRecord) {
        let earlier = table.delay(sequence: record.sequence &- 1, packet: record.packet)
        let later = table.delay(sequence: record.sequence &+ 1, packet: record.packet)
        if let earlier { addVariation(from: earlier, to: delay, record.packet) }
        if let later { addVariation(from: delay, to: later, record.packet) }
    }

    @inline(__always)
    private mutating func addVariation(from: DelayTable.Delay, to: DelayTable.Delay, _ packet: PacketKind) {
        guard from.basis == to.basis, from.epoch == to.epoch,
            let variation = difference(from: from.value, to: to.value)
        else { return }
        if packet == .probe {
            forward.add(variation: variation, from.basis)
        } else {
            reverse.add(variation: variation, from.basis)
        }
    }

    @inline(__always)
    private mutating func addRoundTrip(of delay: DelayTable.Delay, _ record: PacketRecord) {
        let isProbe = record.packet == .probe
        guard let back = table.delay(sequence: record.sequence, packet: isProbe ? .reply : .probe),
            // The sum of a NIC-to-NIC and a kernel delay would lack a part of the path.
            (back.basis == .nicToNIC) == (delay.basis == .nicToNIC), back.epoch == delay.epoch
        else { return }
        let (sum, overflow) = delay.value.addingReportingOverflow(back.value)
        guard !overflow else { return }
        let (forwardBasis, reverseBasis) = isProbe ? (delay.basis, back.basis) : (back.basis, delay.basis)
        roundTrips.record(sum, forwardBasis, reverseBasis)
        if tracksIntervals, forward.shows(forwardBasis), reverse.shows(reverseBasis) { interval.roundTrip.record(sum) }
    }
}
