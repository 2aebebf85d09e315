/// Round-trip delays: a histogram for each pair of the two delays' bases.
struct RoundTrips: Sendable {
    private var histograms: [(forward: DelayBasis, reverse: DelayBasis, values: SignedHistogram)] = []

    @inline(__always)
    mutating func record(_ value: Int64, _ forward: DelayBasis, _ reverse: DelayBasis) {
        if let index = histograms.firstIndex(where: { $0.forward == forward && $0.reverse == reverse }) {
            histograms[index].values.record(value)
        } else {
            var values = SignedHistogram()
            values.record(value)
            histograms.append((forward, reverse, values))
        }
    }

    /// Returns the histogram of the bases that the two directions show; empty if there is none.
    func histogram(_ forward: DelayBasis?, _ reverse: DelayBasis?) -> SignedHistogram {
        histograms.first { $0.forward == forward && $0.reverse == reverse }?.values ?? SignedHistogram()
    }
}
