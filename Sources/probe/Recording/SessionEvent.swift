import FastAFPacket
import NetworkAddresses
import Report
import STAMPSession

/// An event that an endpoint's thread sends to the recorder through the ring between them.
enum SessionEvent: BitwiseCopyable, Sendable {
    /// A finished row. `lateness` is the time from the probe's deadline to its sending in nanoseconds, for probes of
    /// the local session.
    case row(PacketRecord, lateness: Int64?, EventSource)
    /// The totals since the start, every second.
    case totals(SessionTotals, EventSource)
    /// A notice for the user.
    case notice(SessionNotice, EventSource)
    /// The next hop has another MAC address.
    case nextHop(MACAddress, EventSource)
    /// Receiving failed with an errno.
    case receiveFailed(code: Int32, SessionRole)
    /// The sockets' counters since the start, every second.
    case socket(packets: UInt64, drops: UInt64, freezes: UInt64)
}

/// The session that an event is about.
enum EventSource: BitwiseCopyable, Hashable, Sendable {
    /// A session of this host, by its index.
    case local(Int32)
    /// The sessions that this host answers.
    case reflected
}
