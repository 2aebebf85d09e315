import FastAFPacket
import LinuxKernel
import Report
import STAMPWire

extension SessionReflector {
    /// Receives pending transmit timestamps, up to a limit.
    mutating func receiveStamps(_ batch: inout StampBatch) {
        do throws(SystemError) {
            try endpoint.receiveStamps(&batch) { batch in
                checkClock()
                if batch.foundQueueFull { ledger.recordFullQueue() }
                batch.forEach { stamp in record(stamp) }
            }
        } catch {
            result.failure = error
        }
    }

    private mutating func record(_ stamp: TransmitStamp) {
        let match = ledger.recordStamp(stamp)
        guard match != .unknown, let index = index(ofReply: stamp.id) else { return }
        switch stamp.stage {
        case .sched: replies[index].reply.sched = stamp.stamps.software
        case .sent:
            if let time = stamp.stamps.software { replies[index].reply.software = time }
            if let time = stamp.stamps.hardware {
                replies[index].reply.nic = phc.sent(time, after: replies[index].reply.app)
                turn.release()
                nic.missed.recordStamp()
            }
        case .acknowledged, .completed: break
        }
        if match == .stamped(isComplete: true) { markStamped(index) }
    }

    /// Handles a reply whose timestamps are complete: later replies report them to the sender.
    private mutating func markStamped(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.stamped)
        // The place may belong to another session by now.
        if table[slot.session].identifier == slot.identifier {
            table[slot.session].stampedReplies.add(slot.id)
            let usingHardware = configuration.stamps.usesHardwareOnly ? slot.reply.nic.realtime : nil
            if let time = usingHardware ?? slot.reply.software {
                table[slot.session].followUp = FollowUp(
                    sequence: slot.reply.sequence, timestamp: NTPTimestamp(unixNanoseconds: time).rawValue,
                    method: usingHardware == nil ? TimestampingMethod.softwareLocal : TimestampingMethod.hardwareAssist)
            }
        }
        complete(index)
    }

    /// The longest probe interval for which rows wait for the sender's telemetry, in nanoseconds. Rows of slower
    /// senders are written without it.
    private static let maximumProbeIntervalNanoseconds: Int64 = 60_000_000_000

    /// Writes off timestamps and rows whose timeout has passed.
    mutating func sweep(_ now: Int64) {
        writeOffStamps(now)
        while oldest != next {
            let slot = replies[Int(oldest & mask)]
            let isWaiting = configuration.writesRows ? !slot.isFinished : !slot.flags.contains(.stamped)
            if slot.flags.contains(.inUse), isWaiting {
                // The sender's report arrives with its next probes.
                let timeout =
                    configuration.timeoutNanoseconds &+ 2
                    &* min(table[slot.session].probeIntervalNanoseconds, Self.maximumProbeIntervalNanoseconds)
                guard now &- slot.sentAt > timeout else { return }
                finish(oldest)
            }
            oldest &+= 1
        }
    }

    private mutating func writeOffStamps(_ now: Int64) {
        let expired = nic.missed.writeOff(in: &ledger, now, timeout: configuration.timeoutNanoseconds, &result.missed)
        for (id, reason) in expired {
            guard let index = index(ofReply: id) else { continue }
            replies[index].stampMissing = reason
            if replies[index].reply.nic.time == nil { replies[index].reply.nic.missing = reason.wireCode }
            markStamped(index)
        }
    }

    /// Writes the rows of all remaining probes at the end. Timestamps that are still awaited stay pending in the
    /// ledger.
    mutating func finishAll() {
        while oldest != next {
            let index = Int(oldest & mask)
            if !replies[index].flags.contains(.stamped) { replies[index].stampMissing = .closed }
            finish(oldest)
            oldest &+= 1
        }
        endpoint.readCounters(into: &result.totals)
        push(.totals(result.totals))
    }
}
