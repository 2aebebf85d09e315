/// Decides which outages are reported: each one's begin and end once, and not more often than a person can read.
struct ReplySilence {
    private var isReported = false
    private var isSuppressed = false
    private var probes: UInt64 = 0
    private var limit = NoticeLimit()
    private var suppressed: UInt64 = 0

    /// Counts a probe that was sent since the last reply.
    mutating func recordSend() { probes &+= 1 }

    /// Updates the state while the peer is silent.
    ///
    /// - Parameter lastReplyAt: CLOCK_MONOTONIC nanoseconds.
    /// - Returns: a notice, once for each reported outage; nil if no probe was sent.
    mutating func begin(lastReplyAt: Int64, _ now: HostTime) -> SessionNotice? {
        guard !isReported, !isSuppressed, probes > 0 else { return nil }
        guard limit.admits(now.monotonic) else {
            isSuppressed = true
            suppressed &+= 1
            return nil
        }
        isReported = true
        defer { suppressed = 0 }
        return .noReply(since: Self.realtime(of: lastReplyAt, now), probes: probes, suppressed: suppressed)
    }

    /// Updates the state when a reply is received.
    ///
    /// - Returns: a notice if the silence before it was reported.
    mutating func end(lastReplyAt: Int64, _ now: HostTime) -> SessionNotice? {
        defer {
            probes = 0
            isReported = false
            isSuppressed = false
        }
        guard isReported else { return nil }
        return .repliesAgain(at: now.realtime, after: now.monotonic &- lastReplyAt, probes: probes)
    }

    private static func realtime(of time: Int64, _ now: HostTime) -> Int64 {
        now.realtime &- (now.monotonic &- time)
    }
}
