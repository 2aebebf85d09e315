/// The kernel's refusals to send one role's packets. The first refusal and the recovery are each reported once, and not
/// more often than a person can read.
struct SendHealth {
    private let role: SessionRole
    /// The time without a refusal after which sending has recovered, in nanoseconds. It spans several packets, so a
    /// firewall that refuses every third packet causes one failure.
    private let recoveryNanoseconds: Int64
    private(set) var isFailing = false
    private var isReported = false
    private var hasSentSinceRefusal = false
    private var limit = NoticeLimit()
    private var refused: UInt64 = 0
    private var lastRefusal: Int64 = 0

    /// - Parameter interval: nanoseconds between two packets.
    init(_ role: SessionRole, interval: Int64) {
        self.role = role
        recoveryNanoseconds = max(1_000_000_000, 4 &* min(interval, 1 << 60))
    }

    /// Records that the kernel accepted a packet.
    mutating func recordSend() { hasSentSinceRefusal = true }

    /// Records a refused packet.
    ///
    /// - Parameter now: CLOCK_MONOTONIC nanoseconds.
    /// - Returns: a notice for the first one, unless there were too many.
    mutating func recordRefusal(code: Int32, _ now: Int64) -> SessionNotice? {
        refused &+= 1
        lastRefusal = now
        hasSentSinceRefusal = false
        guard !isFailing else { return nil }
        isFailing = true
        isReported = limit.admits(now)
        return isReported ? .sendFailing(code: code, role: role) : nil
    }

    /// The notice that sending works again, once it is due.
    mutating func recovery(_ now: Int64) -> SessionNotice? {
        guard isFailing, hasSentSinceRefusal, now &- lastRefusal >= recoveryNanoseconds else { return nil }
        isFailing = false
        guard isReported else { return nil }
        defer { refused = 0 }
        return .sendWorksAgain(refused: refused, role: role)
    }
}
