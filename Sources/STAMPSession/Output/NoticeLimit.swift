/// Limits how often one kind of notice is reported, so that a person can read them.
struct NoticeLimit {
    /// The number of notices before the limit applies.
    private static let unlimitedNotices = 4
    /// The shortest time between two later ones, in nanoseconds.
    private static let intervalNanoseconds: Int64 = 30_000_000_000

    private var notices = 0
    private var last: Int64 = 0

    /// Returns true if a notice may be reported now, and counts it.
    ///
    /// - Parameter now: CLOCK_MONOTONIC nanoseconds.
    mutating func admits(_ now: Int64) -> Bool {
        guard notices < Self.unlimitedNotices || now &- last >= Self.intervalNanoseconds else { return false }
        notices += 1
        last = now
        return true
    }
}
