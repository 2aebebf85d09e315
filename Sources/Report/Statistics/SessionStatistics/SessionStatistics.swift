/// The statistics of one session, built up row by row.
///
/// Each row is added once, in any order: rows of one probe and of neighbouring sequence numbers may lie up to the window
/// apart. Rows whose status is ok or reordered enter the delay statistics; all rows are counted. Once the histograms have
/// grown to the range of the values, adding a row allocates nothing.
public struct SessionStatistics: Sendable {
    /// Clock epochs whose delays are kept, those with the lowest numbers. Delays of later ones are counted and not kept, so
    /// that memory has a bound.
    public static let epochLimit = 16

    /// The delays since `startInterval()`, for a live display.
    public struct Interval: Sendable {
        /// One-way delay of the probes in nanoseconds.
        public internal(set) var forward = SignedHistogram()
        /// One-way delay of the replies in nanoseconds.
        public internal(set) var reverse = SignedHistogram()
        /// Round-trip times in nanoseconds.
        public internal(set) var roundTrip = SignedHistogram()
        /// The epoch of the one-way delays: the newest.
        var epoch: UInt16 = 0
    }

    /// The probes.
    public private(set) var forward = DirectionStatistics()
    /// The replies.
    public private(set) var reverse = DirectionStatistics()
    /// The delays since `startInterval()`; empty unless intervals are tracked.
    public private(set) var interval = Interval()
    /// Round-trip times without the time in the reflector, in nanoseconds: forward plus reverse delay of the same
    /// sequence number. The offset between the two hosts' clocks cancels, so these are exact without synchronisation.
    public var roundTrip: SignedHistogram { roundTrips.histogram(forward.basis, reverse.basis) }

    private var roundTrips = RoundTrips()
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
        let delay = record.packet == .probe ? Self.add(record, to: &forward) : Self.add(record, to: &reverse)
        guard let delay, table.insert(delay, sequence: record.sequence, packet: record.packet) else { return }
        addVariation(of: delay, record)
        addRoundTrip(of: delay, record)
        if tracksIntervals { addToInterval(delay, record.packet) }
    }

    /// Empties `interval`, keeping its memory.
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

    /// - Returns: the row's delay if it is one that the statistics take.
    @inline(__always)
    private static func add(_ record: PacketRecord, to side: inout DirectionStatistics) -> DelayTable.Delay? {
        side.counts.add(record.status)
        guard record.status.entersDelayStatistics else { return nil }
        guard let epoch = record.clockEpoch else {
            side.crossing &+= 1
            return nil
        }
        side.stages.add(record)
        guard let value = record.delay, let basis = record.delayBasis else { return nil }
        side.add(value, record.delayError, basis, epoch: epoch)
        return DelayTable.Delay(value: value, basis: basis, epoch: epoch)
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
            // Converted hardware timestamps and those of the kernel differ by what is between them.
            (back.basis == .nicToNIC) == (delay.basis == .nicToNIC), back.epoch == delay.epoch
        else { return }
        let (sum, overflow) = delay.value.addingReportingOverflow(back.value)
        guard !overflow else { return }
        let (there, home) = isProbe ? (delay.basis, back.basis) : (back.basis, delay.basis)
        roundTrips.record(sum, there, home)
        if tracksIntervals, forward.shows(there), reverse.shows(home) { interval.roundTrip.record(sum) }
    }
}
