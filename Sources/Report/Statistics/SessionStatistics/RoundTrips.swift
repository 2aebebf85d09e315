/// Round-trip delays: a histogram for each pair of the two delays' bases.
struct RoundTrips: Sendable {
    private struct Key: Equatable {
        var forward: DelayBasis
        var reverse: DelayBasis
    }

    // Apart from one another: to look for a key must not touch the histograms.
    private var keys: [Key] = []
    private var histograms: [SignedHistogram] = []

    @inline(__always)
    mutating func record(_ value: Int64, _ forward: DelayBasis, _ reverse: DelayBasis) {
        let key = Key(forward: forward, reverse: reverse)
        if let index = keys.firstIndex(of: key) { return histograms[index].record(value) }
        keys.append(key)
        histograms.append(SignedHistogram())
        histograms[histograms.count - 1].record(value)
    }

    /// Returns the histogram of the bases that the two directions show; empty if there is none.
    func histogram(_ forward: DelayBasis?, _ reverse: DelayBasis?) -> SignedHistogram {
        guard let forward, let reverse, let index = keys.firstIndex(of: Key(forward: forward, reverse: reverse))
        else { return SignedHistogram() }
        return histograms[index]
    }
}
