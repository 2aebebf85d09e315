import Synchronization

/// One role's turn at a NIC that holds one transmit timestamp at a time. Its other packets, and the other role's, wait
/// briefly until the timestamp has arrived.
struct TransmitTurn {
    private let nic: NIC
    /// The start of this role's turn, in CLOCK_MONOTONIC nanoseconds; 0 outside of a turn.
    private var began: Int64 = 0

    init(_ nic: NIC) { self.nic = nic }

    /// The longest turn, in nanoseconds. NICs deliver timestamps within microseconds, emulated ones within
    /// milliseconds.
    private static let longestWait: Int64 = 5_000_000
    /// The time until the next attempt to acquire the turn, in nanoseconds.
    static let pollInterval: Int64 = 100_000

    /// Acquires the turn if the NIC is free, was never busy, or holds a timestamp for too long.
    ///
    /// - Parameter timeout: the time after which a turn expires, in nanoseconds; at most 5 ms.
    mutating func acquire(_ now: Int64, timeout: Int64) -> Bool {
        guard nic.missed.metBusyNIC > 0 else { return true }
        let holder = nic.turn.load(ordering: .relaxed)
        if holder != 0, now &- holder < min(timeout, Self.longestWait) { return false }
        // If both roles see it free, one of them gets it.
        guard nic.turn.compareExchange(expected: holder, desired: now, ordering: .relaxed).exchanged else {
            return false
        }
        began = now
        return true
    }

    /// Releases the turn, when the timestamp has arrived or nothing was sent.
    mutating func release() {
        guard began != 0 else { return }
        // The exchange fails if the turn has expired and the other role has it.
        _ = nic.turn.compareExchange(expected: began, desired: 0, ordering: .relaxed)
        began = 0
    }
}
