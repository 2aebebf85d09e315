import FastAFPacket
import LinuxKernel

/// What both packet threads do with their link.
extension Endpoint {
    /// Batches that are taken before a thread looks at its other work: a flood must not keep it from that.
    static let rounds = 16

    /// Takes the transmit timestamps that are there, up to a limit.
    func receiveStamps(
        _ batch: inout StampBatch, _ body: (borrowing StampBatch) -> Void
    ) throws(SystemError) {
        for _ in 0..<Self.rounds {
            try conn.receiveTransmitStampsNow(&batch)
            // Without a timestamp too it may tell that the queue was full.
            guard batch.count > 0 || batch.foundQueueFull else { return }
            body(batch)
            if batch.count < batch.capacity { return }
        }
    }

    /// Brings the socket's counters up to date.
    func readCounters(into totals: inout SessionTotals) {
        guard let statistics = try? conn.statistics() else { return }
        totals.socketPackets = statistics.packets
        totals.socketDrops = statistics.drops
        totals.queueFreezes = statistics.queueFreezes
    }

    /// Waits for packets, timestamps or a stop, which it takes note of.
    func wait(until deadline: Int64, _ control: SessionControl) throws(SystemError) -> PacketConn.Activity {
        let activity = try conn.waitForActivity(until: deadline, signal: control.signal)
        if activity.contains(.signal) { control.signal.clear() }
        return activity
    }
}
