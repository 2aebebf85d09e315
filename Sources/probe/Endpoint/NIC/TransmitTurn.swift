import Synchronization

/// One role's turn at a NIC that holds one transmit timestamp at a time: its other packets, and the other role's, wait for a
/// moment until the timestamp has come.
struct TransmitTurn {
    private let nic: NIC
    /// When the own turn began, in CLOCK_MONOTONIC nanoseconds; 0 without one.
    private var began: Int64 = 0

    init(_ nic: NIC) { self.nic = nic }

    /// In nanoseconds: NICs give their timestamps in microseconds, emulated ones in milliseconds.
    private static let longestWait: Int64 = 5_000_000
    /// Nanoseconds until one looks again whether the NIC is free.
    static let pollInterval: Int64 = 100_000

    /// Takes the turn where the NIC is free, was never met busy, or has kept its timestamp for too long.
    ///
    /// - Parameter timeout: how long that is at most, in nanoseconds; never more than 5 ms.
    mutating func acquire(_ now: Int64, timeout: Int64) -> Bool {
        guard nic.missed.metBusyNIC > 0 else { return true }
        let holder = nic.turn.load(ordering: .relaxed)
        if holder != 0, now &- holder < min(timeout, Self.longestWait) { return false }
        // Of two that see it free one has it.
        guard nic.turn.compareExchange(expected: holder, desired: now, ordering: .relaxed).exchanged else {
            return false
        }
        began = now
        return true
    }

    /// Gives the turn back: the timestamp has come, or nothing was sent after all.
    mutating func release() {
        guard began != 0 else { return }
        // Unless it was taken away meanwhile.
        _ = nic.turn.compareExchange(expected: began, desired: 0, ordering: .relaxed)
        began = 0
    }
}
