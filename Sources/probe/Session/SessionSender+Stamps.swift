import FastAFPacket
import LinuxKernel
import Report
import STAMPWire

extension SessionSender {
    /// Receives pending transmit timestamps, up to a limit.
    mutating func receiveStamps(_ batch: inout StampBatch) {
        do throws(SystemError) {
            try endpoint.receiveStamps(&batch) { batch in
                if batch.foundQueueFull { ledger.recordFullQueue() }
                batch.forEach { stamp in record(stamp) }
            }
        } catch {
            result.failure = error
        }
    }

    private mutating func record(_ stamp: TransmitStamp) {
        // A full queue refuses a packet after SCHED, whose timestamp still arrives.
        if let index = index(ofProbe: stamp.id), slots[index].flags.contains(.refused) { return }
        let match = ledger.recordStamp(stamp)
        guard match != .unknown, let index = index(ofProbe: stamp.id) else { return }
        switch stamp.stage {
        case .sched: slots[index].probe.sched = stamp.stamps.software
        case .sent:
            if let time = stamp.stamps.software { slots[index].probe.software = time }
            if let time = stamp.stamps.hardware {
                // The clock model after a step does not apply to a packet that left before it.
                slots[index].probe.nic =
                    slots[index].epoch == epochs.current
                    ? phc.sent(time, after: slots[index].probe.app) : HardwareStamp(time: time)
                turn.release()
                nic.missed.recordStamp()
            }
        case .acknowledged, .completed: break
        }
        if match == .stamped(isComplete: true) {
            slots[index].flags.insert(.stamped)
            if slots[index].flags.contains(.measured) { stampedProbes.add(stamp.id) }
            complete(index)
        }
    }

    /// Writes off timestamps, replies and follow-ups whose timeout has passed.
    mutating func sweep(_ now: Int64) {
        writeOffStamps(now)
        while oldest != next {
            let slot = slots[slotIndex(oldest)]
            if !slot.isFinished, slot.flags.contains(.measured) {
                // A late reply has another timeout to arrive, and a follow-up arrives with the reply to the next probe.
                let timeout =
                    slot.flags.contains(.replied)
                    ? configuration.timeoutNanoseconds &+ 2 &* configuration.intervalNanoseconds
                    : 2 &* configuration.timeoutNanoseconds
                guard now &- slot.sentAt > timeout else { return }
                finish(oldest)
            } else if !slot.isFinished, now &- slot.sentAt <= configuration.timeoutNanoseconds {
                return
            }
            retireOldest()
        }
    }

    /// Retires the oldest probe, and adds its outcome to the outages.
    mutating func retireOldest() {
        let slot = slots[slotIndex(oldest)]
        if slot.flags.contains(.replied) { lastAnsweredReply = slot.replySequence }
        if slot.flags.contains(.measured) {
            outages.add(
                slot.outcome, sequence: slot.sequence, sentAt: slot.sentAt, realtime: slot.probe.app ?? 0)
        }
        oldest &+= 1
    }

    private mutating func writeOffStamps(_ now: Int64) {
        let expired = nic.missed.writeOff(in: &ledger, now, timeout: configuration.timeoutNanoseconds, &result.missed)
        for (id, reason) in expired {
            guard let index = index(ofProbe: id) else { continue }
            slots[index].stampMissing = reason
            if slots[index].probe.nic.time == nil { slots[index].probe.nic.missing = reason.wireCode }
            slots[index].flags.insert(.stamped)
            if slots[index].flags.contains(.measured) { stampedProbes.add(id) }
            complete(index)
        }
    }

    /// Writes the rows of all remaining probes at the end of the run. Timestamps that are still awaited stay pending in
    /// the ledger.
    mutating func finishAll() {
        while oldest != next {
            let index = slotIndex(oldest)
            if !slots[index].flags.contains(.stamped) { slots[index].stampMissing = .closed }
            finish(oldest)
            retireOldest()
        }
        endpoint.readCounters(into: &result.totals)
        push(.totals(result.totals))
    }
}
