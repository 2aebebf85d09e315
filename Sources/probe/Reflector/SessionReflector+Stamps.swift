import FastAFPacket
import LinuxKernel
import Report
import STAMPWire

extension SessionReflector {
    /// Takes the transmit timestamps that are there, up to a limit.
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

    /// All timestamps of a reply that can come have come: later replies tell the sender.
    private mutating func markStamped(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.stamped)
        // The place may have gone to another session since.
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

    /// A sender slower than this has its rows without its telemetry.
    private static let greatestGap: Int64 = 60_000_000_000

    /// Writes off what has waited too long.
    mutating func sweep(_ now: Int64) {
        writeOffStamps(now)
        while oldest != next {
            let slot = replies[Int(oldest & mask)]
            let isWaiting = configuration.writesRows ? !slot.isFinished : !slot.flags.contains(.stamped)
            if slot.flags.contains(.inUse), isWaiting {
                // What the sender tells comes with its next probes.
                let timeout = configuration.timeout &+ 2 &* min(table[slot.session].gap, Self.greatestGap)
                guard now &- slot.sentAt > timeout else { return }
                finish(oldest)
            }
            oldest &+= 1
        }
    }

    private mutating func writeOffStamps(_ now: Int64) {
        let expired = nic.missed.writeOff(in: &ledger, now, timeout: configuration.timeout, &result.missed)
        for (id, reason) in expired {
            guard let index = index(ofReply: id) else { continue }
            replies[index].stampMissing = reason
            if replies[index].reply.nic.time == nil { replies[index].reply.nic.missing = reason.wireCode }
            markStamped(index)
        }
    }

    /// The reflector ends: every probe gets its rows. Timestamps that were still awaited stay so in the ledger.
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
