import FastAFPacket
import Report
import Synchronization

/// The transmit timestamps that the NIC's driver has counted as missed since the command began. Sender and reflector
/// share the NIC, so each miss explains one packet of one of them.
final class MissedStamps: Sendable {
    private let skipped = Atomic<Int>(0)
    private let hasCome = Atomic<Bool>(false)
    private let countedAt = Atomic<Int64>(.max)
    private let skippedTaken = Atomic<Int>(0)

    /// The time of the last reading of the counters, in CLOCK_MONOTONIC nanoseconds; `.max` for a driver without
    /// counters.
    var upToDate: Int64 {
        get { countedAt.load(ordering: .acquiring) }
        set { countedAt.store(newValue, ordering: .releasing) }
    }

    /// The longest wait for a transmit timestamp, in nanoseconds. It is shorter than the peer's wait for its report.
    private static let stampTimeout: Int64 = 1_250_000_000
    /// The time that a driver needs to count a missed timestamp, in nanoseconds after the packet was sent.
    private static let countingTime: Int64 = 250_000_000

    /// The send time before which missing timestamps are written off: late enough for the driver's counters to explain
    /// them, and after `timeout` in any case. All in CLOCK_MONOTONIC nanoseconds.
    func deadline(_ now: Int64, timeout: Int64) -> Int64 {
        let counted = min(now &- min(timeout, Self.stampTimeout), upToDate &- Self.countingTime)
        return max(now &- timeout, counted)
    }

    /// The number of packets that met a busy NIC, by the last reading of the counters.
    var metBusyNIC: Int { skipped.load(ordering: .relaxed) }

    /// Records that a hardware timestamp has arrived.
    func recordStamp() { hasCome.store(true, ordering: .relaxed) }

    /// Records the driver's counters since the command began.
    func update(_ counted: DriverStatistics) {
        var sum = 0
        for counter in counted.missedStamps where counter.meansBusy {
            sum += Int(clamping: min(counter.value, UInt64(UInt32.max)))
        }
        // After a reset, the driver counts from 0 again.
        skipped.store(max(sum, metBusyNIC), ordering: .relaxed)
    }

    /// Determines the reason why a packet has no hardware timestamp.
    func explain() -> MissingReason {
        // While a driver waits in vain for a timestamp, it also counts the NIC as busy.
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
