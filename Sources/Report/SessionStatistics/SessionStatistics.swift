/// The statistics of one session, built up row by row.
///
/// Rows come in the order in which they are completed, each once. Rows whose status is ok or reordered enter the delay
/// statistics; all rows are counted. Once the histograms have grown to the range of the values, adding a row
/// allocates nothing.
public struct SessionStatistics: Sendable {
    /// Everything about one direction.
    public struct PerDirection: Sendable {
        /// One-way delay in nanoseconds, negative where the clocks disagree by more than it.
        public internal(set) var delay = SignedHistogram()
        /// The largest bound of a measured delay's error in nanoseconds; nil if no delay has a bound.
        public internal(set) var largestDelayError: Int64?
        /// Delay variation between consecutive packets, delay(n) - delay(n-1) in nanoseconds (RFC 3393, RFC 5481).
        public internal(set) var ipdv = SignedHistogram()
        /// The stages of the host path at both ends, as far as their stamps are known.
        public internal(set) var stages = HostPathStages()
        /// What became of the packets.
        public internal(set) var counts = DirectionCounts()
    }

    /// The delays since `startInterval()`, for a live display.
    public struct Interval: Sendable {
        /// One-way delay of the probes in nanoseconds.
        public internal(set) var forward = SignedHistogram()
        /// One-way delay of the replies in nanoseconds.
        public internal(set) var reverse = SignedHistogram()
        /// Round-trip times in nanoseconds.
        public internal(set) var roundTrip = SignedHistogram()
    }

    /// The probes.
    public private(set) var forward = PerDirection()
    /// The replies.
    public private(set) var reverse = PerDirection()
    /// Round-trip times without the time in the reflector, in nanoseconds: forward plus reverse delay of the same
    /// sequence number. The offset between the two hosts' clocks cancels, so these are exact without synchronisation.
    public private(set) var roundTrip = SignedHistogram()
    /// The delays since `startInterval()`; empty unless intervals are tracked.
    public private(set) var interval = Interval()

    private var table: DelayTable
    private let tracksIntervals: Bool

    /// Statistics without rows.
    ///
    /// - Parameters:
    ///   - tracksIntervals: Whether `interval` is kept, which costs a second histogram entry for each delay.
    ///   - window: How many sequence numbers a row may lie back and still find its neighbour or its other direction.
    public init(tracksIntervals: Bool = false, window: Int = 8192) {
        self.tracksIntervals = tracksIntervals
        table = DelayTable(capacity: window)
    }

    /// Adds one row.
    public mutating func add(_ record: PacketRecord) {
        if record.packet == .probe {
            Self.add(record, to: &forward)
        } else {
            Self.add(record, to: &reverse)
        }
        guard record.status.entersDelayStatistics, let value = record.delay else { return }
        let delay = DelayTable.Delay(value: value, hardware: record.delayClock == .hardware)
        if tracksIntervals {
            if record.packet == .probe { interval.forward.record(value) } else { interval.reverse.record(value) }
        }
        guard table.insert(delay, sequence: record.sequence, packet: record.packet) else { return }
        addVariation(of: delay, record)
        addRoundTrip(of: delay, record)
    }

    /// Empties `interval`, keeping its memory.
    public mutating func startInterval() {
        interval.forward.reset()
        interval.reverse.reset()
        interval.roundTrip.reset()
    }

    @inline(__always)
    private static func add(_ record: PacketRecord, to side: inout PerDirection) {
        side.counts.add(record.status)
        guard record.status.entersDelayStatistics else { return }
        side.stages.add(record)
        guard let delay = record.delay else { return }
        side.delay.record(delay)
        if let error = record.delayError { side.largestDelayError = max(side.largestDelayError ?? error, error) }
    }

    /// Records the pairs that this row completes: with the packet before it and with the one after it.
    @inline(__always)
    private mutating func addVariation(of delay: DelayTable.Delay, _ record: PacketRecord) {
        let earlier = table.delay(sequence: record.sequence &- 1, packet: record.packet)
        let later = table.delay(sequence: record.sequence &+ 1, packet: record.packet)
        if let earlier { addVariation(from: earlier, to: delay, record.packet) }
        if let later { addVariation(from: delay, to: later, record.packet) }
    }

    @inline(__always)
    private mutating func addVariation(from: DelayTable.Delay, to: DelayTable.Delay, _ packet: PacketKind) {
        guard from.hardware == to.hardware, let variation = difference(from: from.value, to: to.value) else { return }
        if packet == .probe { forward.ipdv.record(variation) } else { reverse.ipdv.record(variation) }
    }

    @inline(__always)
    private mutating func addRoundTrip(of delay: DelayTable.Delay, _ record: PacketRecord) {
        let other: PacketKind = record.packet == .probe ? .reply : .probe
        guard let back = table.delay(sequence: record.sequence, packet: other), back.hardware == delay.hardware
        else { return }
        let (sum, overflow) = delay.value.addingReportingOverflow(back.value)
        guard !overflow else { return }
        roundTrip.record(sum)
        if tracksIntervals { interval.roundTrip.record(sum) }
    }
}
