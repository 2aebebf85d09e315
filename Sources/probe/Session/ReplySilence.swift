import LinuxKernel

/// What is reported of a peer that stops answering, and answers again: each once, and not more often than a person reads.
struct ReplySilence {
    /// Outages that are reported one by one, before the rest is limited in rate.
    private static let freely = 4
    /// Between two reports after those, in nanoseconds.
    private static let longestPause: Int64 = 30_000_000_000

    private var isReported = false
    private var isSuppressed = false
    private var probes: UInt64 = 0
    private var reports = 0
    private var lastReport: Int64 = 0
    private var suppressed: UInt64 = 0

    /// Counts a probe that was sent since the last reply.
    mutating func recordSend() { probes &+= 1 }

    /// The peer is silent.
    ///
    /// - Parameters: CLOCK_MONOTONIC nanoseconds.
    /// - Returns: a notice, once for each outage, and none where no probe was sent.
    mutating func begin(lastReplyAt: Int64, _ now: Int64) -> SessionNotice? {
        guard !isReported, !isSuppressed, probes > 0 else { return nil }
        guard reports < Self.freely || now &- lastReport >= Self.longestPause else {
            isSuppressed = true
            suppressed &+= 1
            return nil
        }
        isReported = true
        reports += 1
        lastReport = now
        defer { suppressed = 0 }
        return .noReply(since: Self.realtime(of: lastReplyAt, now), probes: probes, suppressed: suppressed)
    }

    /// A reply came.
    ///
    /// - Returns: a notice if the silence before it was reported.
    mutating func end(lastReplyAt: Int64, _ now: Int64) -> SessionNotice? {
        defer {
            probes = 0
            isReported = false
            isSuppressed = false
        }
        guard isReported else { return nil }
        return .repliesAgain(at: Self.realtime(of: now, now), after: now &- lastReplyAt, probes: probes)
    }

    private static func realtime(of time: Int64, _ now: Int64) -> Int64 { ClockID.realtime.now() &- (now &- time) }
}
