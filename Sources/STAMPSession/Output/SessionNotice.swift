import Report

/// A session's running totals, which a session-sender and a session-reflector fill as far as they apply.
public struct SessionTotals: Hashable, Sendable, BitwiseCopyable {
    /// Measured probes that the kernel accepted; for a reflector, replies.
    public var sent: UInt64 = 0
    /// Replies to measured probes; for a reflector, probes.
    public var received: UInt64 = 0
    /// Measured probes that the kernel refused.
    public var notSent: UInt64 = 0
    /// Losses, duplicates and reordering.
    public var sequence = RunSummary.SequenceTotals()

    public init() {}

    /// Adds the totals of another session.
    public mutating func add(_ other: SessionTotals) {
        sent &+= other.sent
        received &+= other.received
        notSent &+= other.notSent
        sequence.add(other.sequence)
    }
}

/// A role of this host in a session.
public enum SessionRole: BitwiseCopyable, Sendable {
    case sender
    case reflector
}

/// An event of a session that is reported to the user.
public enum SessionNotice: BitwiseCopyable, Sendable {
    case waitingForPeer(seconds: Int64)
    case peerAnswered(isPaired: Bool)
    case peerSilent
    case peerRestarted
    /// The kernel began to refuse packets of one role, with an errno.
    case sendFailing(code: Int32, role: SessionRole)
    /// The kernel accepts packets again, after this number of refusals.
    case sendWorksAgain(refused: UInt64, role: SessionRole)
    /// No reply was received for longer than the timeout.
    ///
    /// - since: CLOCK_REALTIME of the last reply, Unix nanoseconds.
    /// - probes: the number of probes sent since then.
    /// - suppressed: the number of earlier outages that were not reported.
    case noReply(since: Int64, probes: UInt64, suppressed: UInt64)
    /// The first reply after an outage: its time (CLOCK_REALTIME, Unix nanoseconds), the time without replies before it
    /// in nanoseconds, and the number of probes sent in that time.
    case repliesAgain(at: Int64, after: Int64, probes: UInt64)
    case clocksDisagree
    case deadlinesSkipped
    case clockSet(ClockStep)
}
