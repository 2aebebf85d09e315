import Synchronization

/// One role's turn at a card that holds one transmit stamp at a time: its other packets, and the other role's, wait for a
/// moment until the stamp has come.
struct CardTurn {
    private let card: Card
    /// When the own turn began, in CLOCK_MONOTONIC nanoseconds; 0 without one.
    private var began: Int64 = 0

    init(_ card: Card) { self.card = card }

    /// In nanoseconds: cards give their stamps in microseconds, emulated ones in milliseconds.
    private static let longestWait: Int64 = 5_000_000
    /// Nanoseconds until one looks again whether the card is free.
    static let glance: Int64 = 100_000

    /// Takes the turn where the card is free, was never met busy, or has kept its stamp for too long.
    ///
    /// - Parameter patience: how long that is at most, in nanoseconds; never more than 5 ms.
    mutating func take(_ now: Int64, patience: Int64) -> Bool {
        guard card.missed.metBusyCard > 0 else { return true }
        let holder = card.turn.load(ordering: .relaxed)
        if holder != 0, now &- holder < min(patience, Self.longestWait) { return false }
        // Of two that see it free one has it.
        guard card.turn.compareExchange(expected: holder, desired: now, ordering: .relaxed).exchanged else {
            return false
        }
        began = now
        return true
    }

    /// Gives the turn back: the stamp has come, or nothing was sent after all.
    mutating func giveBack() {
        guard began != 0 else { return }
        // Unless it was taken away meanwhile.
        _ = card.turn.compareExchange(expected: began, desired: 0, ordering: .relaxed)
        began = 0
    }
}
