import FastAFPacket
import Report
import Synchronization

/// Transmit timestamps that the NIC's driver owns up to having missed, since the command began. Sender and reflector have
/// the NIC together, so each miss explains one packet of one of them.
final class MissedStamps: Sendable {
    private let skipped = Atomic<Int>(0)
    private let hasCome = Atomic<Bool>(false)
    private let countedAt = Atomic<Int64>(.max)
    private let skippedTaken = Atomic<Int>(0)

    /// CLOCK_MONOTONIC nanoseconds of the last look at the counters; `.max` for a driver that has none.
    var upToDate: Int64 {
        get { countedAt.load(ordering: .acquiring) }
        set { countedAt.store(newValue, ordering: .releasing) }
    }

    /// How long a transmit timestamp may take, in nanoseconds: shorter than the peer waits to be told.
    private static let stampTimeout: Int64 = 1_250_000_000
    /// How long before a look at the counters a packet must have been sent to be among them.
    private static let countingTime: Int64 = 250_000_000

    /// Timestamps of packets that were sent before this are written off: late enough for the driver's counters to tell why,
    /// and after `timeout` in any case. All in CLOCK_MONOTONIC nanoseconds.
    func deadline(_ now: Int64, timeout: Int64) -> Int64 {
        let counted = min(now &- min(timeout, Self.stampTimeout), upToDate &- Self.countingTime)
        return max(now &- timeout, counted)
    }

    /// Packets that met a busy NIC, as far as is known.
    var metBusyNIC: Int { skipped.load(ordering: .relaxed) }

    /// Takes note that a timestamp of the NIC's has come.
    func recordStamp() { hasCome.store(true, ordering: .relaxed) }

    /// Enters what the driver has counted since the command began.
    func update(_ counted: DriverStatistics) {
        var sum = 0
        for counter in counted.missedStamps where counter.meansBusy {
            sum += Int(clamping: min(counter.value, UInt64(UInt32.max)))
        }
        // A driver that was reset counts from 0 again.
        skipped.store(max(sum, metBusyNIC), ordering: .relaxed)
    }

    /// Writes off a thread's timestamps whose time is over.
    ///
    /// - Returns: their packets, and why; empty as a rule, and then without memory.
    func writeOff(
        in ledger: inout TransmitLedger, _ now: Int64, timeout: Int64, _ counts: inout MissedCounts
    ) -> [(id: UInt32, reason: MissingReason)] {
        var expired: [(id: UInt32, reason: MissingReason)] = []
        ledger.expire(sentBefore: deadline(now, timeout: timeout)) { id, lost, skipped in
            expired.append((id, explain(lost, skipped, &counts)))
        }
        return expired
    }

    /// Why timestamps of a packet that were written off never came, and counts it.
    ///
    /// - Parameters:
    ///   - lost: the kinds that were lost in the socket's buffer.
    ///   - skipped: the kinds for which there was room.
    func explain(
        _ lost: TransmitStampKinds, _ skipped: TransmitStampKinds, _ counts: inout MissedCounts
    ) -> MissingReason {
        if !lost.isEmpty { return .bufferFull }
        // A packet that no driver saw has no timestamp of either kind.
        guard skipped == .hardware else { return .skippedByDriver }
        let reason = explain()
        counts.count(reason)
        return reason
    }

    /// Why a packet has no timestamp of the NIC's.
    func explain() -> MissingReason {
        // To a driver that waits for a timestamp in vain the NIC is busy as well.
        guard hasCome.load(ordering: .relaxed) else { return .never }
        let limit = skipped.load(ordering: .relaxed)
        var seen = skippedTaken.load(ordering: .relaxed)
        while seen < limit {
            let result = skippedTaken.weakCompareExchange(expected: seen, desired: seen + 1, ordering: .relaxed)
            if result.exchanged { return .inFlight }
            seen = result.original
        }
        return .skippedByDriver
    }
}

/// A thread's packets that the NIC left without a transmit timestamp, by reason.
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
