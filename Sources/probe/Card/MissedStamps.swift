import FastAFPacket
import Report
import Synchronization

/// Transmit stamps that the card's driver owns up to having missed, since the command began. Sender and reflector have
/// the card together, so each miss explains one packet of one of them.
final class MissedStamps: Sendable {
    private let skipped = Atomic<Int>(0)
    private let others = Atomic<Int>(0)
    private let skippedTaken = Atomic<Int>(0)
    private let othersTaken = Atomic<Int>(0)

    /// Enters what the driver has counted since the command began.
    func update(_ counted: DriverStatistics) {
        var sums = (skipped: 0, others: 0)
        for counter in counted.missedStamps {
            let value = Int(clamping: min(counter.value, UInt64(UInt32.max)))
            if counter.meansBusy { sums.skipped += value } else { sums.others += value }
        }
        skipped.store(sums.skipped, ordering: .relaxed)
        others.store(sums.others, ordering: .relaxed)
    }

    /// Why stamps of a packet that were written off never came, and counts it.
    ///
    /// - Parameters:
    ///   - lost: the kinds that were lost in the socket's buffer.
    ///   - skipped: the kinds for which there was room.
    func explain(
        _ lost: TransmitStampKinds, _ skipped: TransmitStampKinds, _ account: FastAFPacket.TransmitAccount,
        _ counts: inout MissedCounts
    ) -> MissingReason {
        if !lost.isEmpty { return .bufferFull }
        // A packet that no driver saw has no stamp of either kind.
        guard skipped == .hardware else { return .skippedByDriver }
        let reason = explain(anyCame: account.hardware[.stamped] > 0)
        counts.count(reason)
        return reason
    }

    /// Why a packet has no stamp of the card's.
    ///
    /// - Parameter anyCame: whether other packets have theirs.
    func explain(anyCame: Bool) -> MissingReason {
        if Self.take(from: skipped, skippedTaken) { return .inFlight }
        if Self.take(from: others, othersTaken) { return .skippedByDriver }
        // A driver that does not count still leaves packets out.
        return anyCame ? .skippedByDriver : .never
    }

    private static func take(from counted: borrowing Atomic<Int>, _ taken: borrowing Atomic<Int>) -> Bool {
        let limit = counted.load(ordering: .relaxed)
        var seen = taken.load(ordering: .relaxed)
        while seen < limit {
            let result = taken.weakCompareExchange(expected: seen, desired: seen + 1, ordering: .relaxed)
            if result.exchanged { return true }
            seen = result.original
        }
        return false
    }
}

/// A thread's packets that the card left without a transmit stamp, by reason.
struct MissedCounts: Hashable, Sendable {
    var inFlight = 0
    var never = 0

    mutating func count(_ reason: MissingReason) {
        switch reason {
        case .inFlight: inFlight &+= 1
        case .never: never &+= 1
        default: break
        }
    }

    mutating func add(_ other: MissedCounts) {
        inFlight &+= other.inFlight
        never &+= other.never
    }
}
