/// The statistics of one session, built up row by row.
///
/// Rows come in the order in which they are completed, each once. Rows whose status is ok or reordered enter the delay
/// statistics; all rows are counted. Once the histograms have grown to the range of the values, adding a row
/// allocates nothing.
public struct SessionStatistics: Sendable {
    /// The one-way delays between two steps of the hosts' clocks.
    public struct EpochDelays: Sendable {
        /// Its number, the rows' `clockEpoch`.
        public internal(set) var epoch: UInt16
        /// One-way delay in nanoseconds, negative where the clocks disagree by more than it.
        public internal(set) var delay = SignedHistogram()
        /// The largest bound of a measured delay's error in nanoseconds; nil if no delay has a bound.
        public internal(set) var largestDelayError: Int64?

        /// Clocks that differ by more nanoseconds than this would cost a relative delay its microseconds.
        private static let apart: UInt64 = 1_000_000

        @inline(__always)
        mutating func add(_ value: Int64, _ error: Int64?) {
            // What is relative lies as far from zero as the clocks are apart, and its spread is all that it means.
            if delay.isEmpty, error == nil, value.magnitude > Self.apart { delay = SignedHistogram(origin: value) }
            delay.record(value)
            if let error { largestDelayError = max(largestDelayError ?? error, error) }
        }
    }

    /// Stretches whose delays are kept. Those of later ones are counted and not kept, so that memory has a bound.
    public static let epochLimit = 16

    /// Everything about one direction.
    public struct PerDirection: Sendable {
        /// The delays before any step of a clock: most runs have no others.
        public internal(set) var first = EpochDelays(epoch: 0)
        /// The delays after steps, in the order in which their rows came. Those of different clock epochs never meet.
        public internal(set) var later: [EpochDelays] = []
        /// Delays of clock epochs beyond the limit, which are in no histogram.
        public internal(set) var delaysLeftOut: UInt64 = 0
        /// Delays by a program's timestamp at one end, which are in no histogram since others are by the kernels' or the NICs'.
        public internal(set) var delaysByProgram: UInt64 = 0
        var hasBetterDelays = false
        /// Packets that have no delay because a clock was set while they, or the answers to them, were on their way.
        public internal(set) var crossing: UInt64 = 0
        /// Delay variation between consecutive packets, delay(n) - delay(n-1) in nanoseconds (RFC 3393, RFC 5481).
        public internal(set) var ipdv = SignedHistogram()
        /// The stages of the host path at both ends, as far as their timestamps are known.
        public internal(set) var stages = HostPathStages()
        /// What became of the packets.
        public internal(set) var counts = DirectionCounts()

        /// One-way delay of the first clock epoch in nanoseconds.
        public var delay: SignedHistogram { first.delay }
        /// The largest bound of a delay's error in the first clock epoch, in nanoseconds; nil if no delay has a bound.
        public var largestDelayError: Int64? { first.largestDelayError }
        /// All clock epochs that are kept.
        public var epochs: [EpochDelays] { [first] + later }
        /// The one that the newest row opened.
        public var newest: EpochDelays { later.last ?? first }

        @inline(__always)
        mutating func add(_ delay: Int64, _ error: Int64?, epoch: UInt16) {
            if epoch == 0 { return first.add(delay, error) }
            if let position = later.lastIndex(where: { $0.epoch == epoch }) {
                later[position].add(delay, error)
            } else if later.count + 1 < SessionStatistics.epochLimit {
                later.append(EpochDelays(epoch: epoch))
                later[later.count - 1].add(delay, error)
            } else {
                delaysLeftOut &+= 1
            }
        }
    }

    /// The delays since `startInterval()`, for a live display.
    public struct Interval: Sendable {
        /// One-way delay of the probes in nanoseconds.
        public internal(set) var forward = SignedHistogram()
        /// One-way delay of the replies in nanoseconds.
        public internal(set) var reverse = SignedHistogram()
        /// Round-trip times in nanoseconds.
        public internal(set) var roundTrip = SignedHistogram()
        /// The clock epoch that the one-way delays are of: the newest.
        var epoch: UInt16 = 0
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
        let counts = record.packet == .probe ? Self.add(record, to: &forward) : Self.add(record, to: &reverse)
        guard counts, record.status.entersDelayStatistics, let value = record.delay, let epoch = record.clockEpoch
        else { return }
        let delay = DelayTable.Delay(value: value, hardware: record.delayClock == .hardware, epoch: epoch)
        if tracksIntervals { addToInterval(value, record.packet, epoch) }
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

    private mutating func addToInterval(_ delay: Int64, _ packet: PacketKind, _ epoch: UInt16) {
        if epoch > interval.epoch {
            interval.epoch = epoch
            interval.forward.reset()
            interval.reverse.reset()
        }
        guard epoch == interval.epoch else { return }
        if packet == .probe { interval.forward.record(delay) } else { interval.reverse.record(delay) }
    }

    /// - Returns: whether the row's delay, where there is one, is of the kind that the direction's others are.
    @inline(__always)
    private static func add(_ record: PacketRecord, to side: inout PerDirection) -> Bool {
        side.counts.add(record.status)
        guard record.status.entersDelayStatistics else { return false }
        // Timestamps of one host from before and after a step would make a stage of its size.
        guard let epoch = record.clockEpoch else {
            side.crossing &+= 1
            return false
        }
        side.stages.add(record)
        guard let delay = record.delay else { return false }
        if record.delayClock != .app {
            side.hasBetterDelays = true
        } else if side.hasBetterDelays {
            side.delaysByProgram &+= 1
            return false
        }
        side.add(delay, record.delayError, epoch: epoch)
        return true
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
        guard from.hardware == to.hardware, from.epoch == to.epoch,
            let variation = difference(from: from.value, to: to.value)
        else { return }
        if packet == .probe { forward.ipdv.record(variation) } else { reverse.ipdv.record(variation) }
    }

    @inline(__always)
    private mutating func addRoundTrip(of delay: DelayTable.Delay, _ record: PacketRecord) {
        let other: PacketKind = record.packet == .probe ? .reply : .probe
        guard let back = table.delay(sequence: record.sequence, packet: other), back.hardware == delay.hardware,
            back.epoch == delay.epoch
        else { return }
        let (sum, overflow) = delay.value.addingReportingOverflow(back.value)
        guard !overflow else { return }
        roundTrip.record(sum)
        if tracksIntervals { interval.roundTrip.record(sum) }
    }
}
