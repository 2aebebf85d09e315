import FastAFPacket
import LinuxKernel

/// Operations that both packet threads share.
extension Endpoint {
    /// The number of batches that a thread reads before its other work, which a flood must not hold up.
    static let rounds = 16

    /// Reads the transmit timestamps that have arrived, in at most ``rounds`` batches.
    func receiveStamps(
        _ batch: inout StampBatch, _ body: (borrowing StampBatch) -> Void
    ) throws(SystemError) {
        for _ in 0..<Self.rounds {
            try conn.receiveTransmitStampsNow(&batch)
            // Even an empty batch can report that the queue was full.
            guard batch.count > 0 || batch.foundQueueFull else { return }
            body(batch)
            if batch.count < batch.capacity { return }
        }
    }

    /// Updates the socket's counters in `totals`.
    func readCounters(into totals: inout SessionTotals) {
        guard let statistics = try? conn.statistics() else { return }
        totals.socketPackets = statistics.packets
        totals.socketDrops = statistics.drops
        totals.queueFreezes = statistics.queueFreezes
    }

    /// Waits for packets, timestamps or a stop signal, which it clears.
    func wait(until deadline: Int64, _ control: SessionControl) throws(SystemError) -> PacketConn.Activity {
        let activity = try conn.waitForActivity(until: deadline, signal: control.signal)
        if activity.contains(.signal) { control.signal.clear() }
        return activity
    }
}
