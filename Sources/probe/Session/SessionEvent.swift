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
    var socketPackets: UInt64 = 0
    var socketDrops: UInt64 = 0
    var queueFreezes: UInt64 = 0

    mutating func add(_ other: SessionTotals) {
        sent &+= other.sent
        received &+= other.received
        lostForward &+= other.lostForward
        lostReverse &+= other.lostReverse
        socketPackets &+= other.socketPackets
        socketDrops &+= other.socketDrops
        queueFreezes &+= other.queueFreezes
    }
}

/// What happens to a session and is worth a line.
enum SessionNotice: BitwiseCopyable, Sendable {
    case waitingForPeer(seconds: Int64)
    case peerAnswered(isPaired: Bool)
    case peerSilent
    case peerRestarted
    case nextHopChanged(mac: UInt64)
    case sendFailing(code: Int32)
    case sendWorksAgain
    case receiveFailed(code: Int32)
    case clocksDisagree
    case fellBehind
    case clockSet(ClockStep)
}
