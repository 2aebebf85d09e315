import FastAFPacket
import Report

/// An event that a packet thread sends to the recorder through the ring between them.
enum SessionEvent: BitwiseCopyable, Sendable {
    /// A finished row. `lateness` is the time from the probe's deadline to its sending in nanoseconds, for probes of
    /// the local session.
    case row(PacketRecord, lateness: Int64?)
    /// The totals since the start, every second.
    case totals(SessionTotals)
    /// A notice for the user.
    case notice(SessionNotice)
}

/// A thread's running totals.
struct SessionTotals: BitwiseCopyable, Sendable {
    var sent: UInt64 = 0
    var received: UInt64 = 0
    var lostForward: UInt64 = 0
    var lostReverse: UInt64 = 0
    var lostUnknown: UInt64 = 0
    var notSent: UInt64 = 0
    var socketPackets: UInt64 = 0
    var socketDrops: UInt64 = 0
    var queueFreezes: UInt64 = 0

    mutating func add(_ other: SessionTotals) {
        sent &+= other.sent
        received &+= other.received
        lostForward &+= other.lostForward
        lostReverse &+= other.lostReverse
        lostUnknown &+= other.lostUnknown
        notSent &+= other.notSent
        socketPackets &+= other.socketPackets
        socketDrops &+= other.socketDrops
        queueFreezes &+= other.queueFreezes
    }
}

/// A role of this host in a session.
enum SessionRole: BitwiseCopyable, Sendable {
    case sender
    case reflector
}

/// An event of a session that is reported to the user.
enum SessionNotice: BitwiseCopyable, Sendable {
    case waitingForPeer(seconds: Int64)
    case peerAnswered(isPaired: Bool)
    case peerSilent
    case peerRestarted
    case nextHopChanged(mac: UInt64)
    /// The kernel began to refuse packets of one role.
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
    case receiveFailed(code: Int32, role: SessionRole)
    case clocksDisagree
    case deadlinesSkipped
    case clockSet(ClockStep)
}
