/// The statistics of one direction of a session.
public struct DirectionStatistics: Sendable {
    /// The delays of one basis.
    struct Distribution {
        let basis: DelayBasis
        var epochs: [EpochDelays] = []
        /// Delays of clock epochs beyond the limit, which are in no histogram.
        var delaysBeyondEpochLimit: UInt64 = 0
        var count: UInt64 = 0
        var ipdv = SignedHistogram()
    }

    /// A distribution for each basis, best first. Usually there is one. Only the best is shown, so that no figure mixes
    /// two bases, in any order of the rows.
    private(set) var distributions: [Distribution] = []
    /// Packets without a delay because a clock was set during their exchange.
    public internal(set) var crossing: UInt64 = 0
    /// The stages of the host path at both ends, if their timestamps are known.
    public internal(set) var stages = HostPathStages()
    /// The outcomes of the packets.
    public internal(set) var counts = DirectionCounts()

    /// The basis of the delays; nil without delays.
    public var basis: DelayBasis? { distributions.isEmpty ? nil : distributions[0].basis }
    /// The delays of each clock epoch within the limit, in the order of their numbers. The first one always exists.
    public var epochs: [EpochDelays] {
        let epochs = distributions.first?.epochs ?? []
        return epochs.first?.epoch == 0 ? epochs : [EpochDelays(epoch: 0)] + epochs
    }
    /// The delays of the later clock epochs.
    public var later: [EpochDelays] { Array(epochs.dropFirst()) }
    /// The one-way delays of the first clock epoch, in nanoseconds.
    public var delay: SignedHistogram { epochs[0].delay }
    /// The largest error bound of a delay of the first clock epoch, in nanoseconds; nil if no delay has a bound.
    public var largestDelayError: Int64? { epochs[0].largestDelayError }
    /// The clock epoch with the highest number.
    public var newest: EpochDelays { epochs[epochs.count - 1] }
    /// Delays of clock epochs beyond the limit, which are in no histogram.
    public var delaysBeyondEpochLimit: UInt64 { distributions.first?.delaysBeyondEpochLimit ?? 0 }
    /// IPDV of consecutive packets: delay(n) - delay(n-1) in nanoseconds (RFC 3393, RFC 5481).
    public var ipdv: SignedHistogram { distributions.first?.ipdv ?? SignedHistogram() }
    /// The counts of delays of each worse basis, which are in no histogram because other delays have a better one.
    public var excludedDelays: [(basis: DelayBasis, count: UInt64)] {
        distributions.dropFirst().map { ($0.basis, $0.count) }
    }
    /// The number of those delays that start or end at an application timestamp.
    public var delaysByApplication: UInt64 {
        excludedDelays.reduce(0) { $1.basis.clock == .app ? $0 &+ $1.count : $0 }
    }

    /// Returns true if delays of this basis are in the histograms that are shown.
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
        guard epoch < SessionStatistics.epochLimit else { return delaysBeyondEpochLimit &+= 1 }
        var index = 0
        while index < epochs.count, epochs[index].epoch < epoch { index += 1 }
        if index == epochs.endIndex || epochs[index].epoch != epoch {
            epochs.insert(EpochDelays(epoch: epoch), at: index)
        }
        epochs[index].add(delay, error)
    }
}
