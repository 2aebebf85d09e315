/// Limits the notices about sessions, so that a hundred peers do not fill a terminal with one line each.
struct NoticeBudget {
    /// The notices that are not reported.
    private(set) var suppressed: UInt64 = 0
    private var left = Self.capacity
    private var refilledAt: Int64

    /// The notices that are reported at once, and the time after which one more is, in nanoseconds.
    private static let capacity = 20
    private static let refillIntervalNanoseconds: Int64 = 500_000_000

    /// Creates a full budget.
    ///
    /// - Parameter now: the present in CLOCK_MONOTONIC nanoseconds.
    init(at now: Int64) { refilledAt = now }

    /// Returns whether to report a notice, and counts it if not.
    mutating func admits(at now: Int64) -> Bool {
        refill(now)
        guard left > 0 else {
            suppressed &+= 1
            return false
        }
        left -= 1
        return true
    }

    /// Returns and clears the number of suppressed notices, once reporting them is within the budget; nil before that
    /// and if there are none.
    mutating func takeSuppressed(at now: Int64) -> UInt64? {
        guard suppressed > 0 else { return nil }
        refill(now)
        guard left > 0 else { return nil }
        left -= 1
        defer { suppressed = 0 }
        return suppressed
    }

    private mutating func refill(_ now: Int64) {
        let refills = (now &- refilledAt) / Self.refillIntervalNanoseconds
        guard refills > 0 else { return }
        left = Int(min(Int64(Self.capacity), Int64(left) &+ refills))
        refilledAt &+= refills &* Self.refillIntervalNanoseconds
    }
}
