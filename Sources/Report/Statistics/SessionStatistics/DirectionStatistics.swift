/// Everything about one direction of a session.
public struct DirectionStatistics: Sendable {
    /// The delays by one basis.
    struct Distribution {
        let basis: DelayBasis
        var epochs: [EpochDelays] = []
        /// Delays of epochs beyond the limit, which are in no histogram.
        var delaysLeftOut: UInt64 = 0
        var count: UInt64 = 0
        var ipdv = SignedHistogram()
    }

    /// A distribution for each basis that rows had, best first: mostly one. Only the best is shown, so that no figure
    /// mixes two, in whatever order their rows came.
    private(set) var distributions: [Distribution] = []
    /// Packets that have no delay because a clock was set while they, or the answers to them, were on their way.
    public internal(set) var crossing: UInt64 = 0
    /// The stages of the host path at both ends, as far as their timestamps are known.
    public internal(set) var stages = HostPathStages()
    /// The outcomes of the packets.
    public internal(set) var counts = DirectionCounts()

    /// The points that the delays are measured between; nil without delays.
    public var basis: DelayBasis? { distributions.isEmpty ? nil : distributions[0].basis }
    /// The delays of each clock epoch that is kept, in the order of their numbers; the first one, empty, without delays.
    public var epochs: [EpochDelays] {
        let epochs = distributions.first?.epochs ?? []
        return epochs.first?.epoch == 0 ? epochs : [EpochDelays(epoch: 0)] + epochs
    }
    /// The delays after a step of a clock.
    public var later: [EpochDelays] { Array(epochs.dropFirst()) }
    /// One-way delay of the first epoch in nanoseconds.
    public var delay: SignedHistogram { epochs[0].delay }
    /// The largest bound of a delay's error in the first epoch, in nanoseconds; nil if no delay has a bound.
    public var largestDelayError: Int64? { epochs[0].largestDelayError }
    /// The epoch with the highest number.
    public var newest: EpochDelays { epochs[epochs.count - 1] }
    /// Delays of epochs beyond the limit, which are in no histogram.
    public var delaysLeftOut: UInt64 { distributions.first?.delaysLeftOut ?? 0 }
    /// Delay variation between consecutive packets, delay(n) - delay(n-1) in nanoseconds (RFC 3393, RFC 5481).
    public var ipdv: SignedHistogram { distributions.first?.ipdv ?? SignedHistogram() }
    /// Delays by each lesser basis, which are in no histogram since others are by a better one.
    public var leftOut: [(basis: DelayBasis, count: UInt64)] { distributions.dropFirst().map { ($0.basis, $0.count) } }
    /// Those among them that start or end at an application's timestamp.
    public var delaysByProgram: UInt64 {
        leftOut.reduce(0) { $1.basis.clock == .app ? $0 &+ $1.count : $0 }
    }

    /// True if a delay by this basis is in the histograms that are shown now.
    func shows(_ basis: DelayBasis) -> Bool { self.basis == basis }

    @inline(__always)
    mutating func add(_ delay: Int64, _ error: Int64?, _ basis: DelayBasis, epoch: UInt16) {
        distributions[index(of: basis)].add(delay, error, epoch: epoch)
    }

    @inline(__always)
    mutating func add(variation: Int64, _ basis: DelayBasis) {
        distributions[index(of: basis)].ipdv.record(variation)
    }

    @inline(__always)
    private mutating func index(of basis: DelayBasis) -> Int {
        // By index: an element that is bound would be copied.
        var index = 0
        while index < distributions.count, distributions[index].basis.rawValue < basis.rawValue { index += 1 }
        if index < distributions.count, distributions[index].basis == basis { return index }
        distributions.insert(Distribution(basis: basis), at: index)
        return index
    }
}

extension DirectionStatistics.Distribution {
    @inline(__always)
    mutating func add(_ delay: Int64, _ error: Int64?, epoch: UInt16) {
        count &+= 1
        guard epoch < SessionStatistics.epochLimit else { return delaysLeftOut &+= 1 }
        var index = 0
        while index < epochs.count, epochs[index].epoch < epoch { index += 1 }
        if index == epochs.endIndex || epochs[index].epoch != epoch {
            epochs.insert(EpochDelays(epoch: epoch), at: index)
        }
        epochs[index].add(delay, error)
    }
}
