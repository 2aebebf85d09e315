import FastAFPacket
import Report

/// What a packet thread tells the recorder, through the ring between them.
enum SessionEvent: BitwiseCopyable, Sendable {
    /// A finished row. `lateness`: how long after its deadline the probe was sent, on a probe's row of the own session.
    case row(PacketRecord, lateness: Int64?)
    /// Every second: totals since the start.
    case totals(SessionTotals)
    /// Something for the user to know.
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

/// What happens to a session and is worth a line.
enum SessionNotice: BitwiseCopyable, Sendable {
    case waitingForPeer(seconds: Int64)
    case peerAnswered(isPaired: Bool)
    case peerSilent
    case peerRestarted
    case nextHopChanged(mac: UInt64)
    /// The kernel began to refuse packets of one role.
    case sendFailing(code: Int32, role: SessionRole)
    /// It takes them again, after so many refusals.
    case sendWorksAgain(refused: UInt64, role: SessionRole)
    /// No reply has come for a while.
    ///
    /// - since: CLOCK_REALTIME of the last reply, Unix nanoseconds.
    /// - probes: sent since then.
    /// - suppressed: earlier outages that were not reported one by one.
    case noReply(since: Int64, probes: UInt64, suppressed: UInt64)
    /// The first reply after that: when it came, and how long there was none, in nanoseconds.
    case repliesAgain(at: Int64, after: Int64, probes: UInt64)
    case receiveFailed(code: Int32, role: SessionRole)
    case clocksDisagree
    case fellBehind
    case clockSet(ClockStep)
}
