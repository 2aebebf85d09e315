import STAMPSession

/// The turn of packets at a NIC that holds one transmit timestamp at a time: others wait briefly until the timestamp has
/// arrived.
struct TransmitTurn {
    private let missed: MissedStamps
    /// The role that has the turn, and its start in CLOCK_MONOTONIC nanoseconds.
    private var holder: SessionRole?
    private var began: Int64 = 0

    init(_ missed: MissedStamps) { self.missed = missed }

    /// The longest turn, in nanoseconds. NICs deliver timestamps within microseconds, emulated ones within
    /// milliseconds.
    private static let longestWait: Int64 = 5_000_000
    /// The time until the next attempt to acquire the turn, in nanoseconds.
    static let pollInterval: Int64 = 100_000

    /// Acquires the turn if the NIC is free, was never busy, or holds a timestamp for too long.
    ///
    /// - Parameter timeout: the time after which a turn expires, in nanoseconds; at most 5 ms.
    mutating func acquire(_ role: SessionRole, _ now: Int64, timeout: Int64) -> Bool {
        guard missed.metBusyNIC > 0 else { return true }
        guard holder == nil || now &- began >= min(timeout, Self.longestWait) else { return false }
        (holder, began) = (role, now)
        return true
    }

    /// Releases a role's turn, when the timestamp has arrived or nothing was sent. The turn may have expired, and the other
    /// role may have it.
    mutating func release(_ role: SessionRole) {
        if holder == role { holder = nil }
    }
}
