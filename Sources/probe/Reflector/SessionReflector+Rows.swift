import Report
import Wire

extension SessionReflector {
    /// Takes over what a probe tells of earlier probes' departures and of earlier replies' arrivals.
    mutating func learn(from paired: PairedStamps, _ session: Int) {
        for stamps in [paired.transmit0, paired.transmit1] {
            guard let stamps, let index = find(session, { $0.probe.sequence == stamps.sequence }) else { continue }
            guard !replies[index].flags.contains(.probeRowWritten) else { continue }
            replies[index].probe = stamps
            writeProbeRow(index)
        }
        for stamps in [paired.receive0, paired.receive1] {
            guard let stamps, let index = find(session, { $0.reply.sequence == stamps.sequence }) else { continue }
            replies[index].replyReceived = stamps
            replies[index].flags.insert(.receiptKnown)
            complete(index)
        }
    }

    /// Looked for among the newest replies, from the newest on: telemetry is young.
    private func find(_ session: Int, _ matches: (ReplySlot) -> Bool) -> Int? {
        var id = table[session].newestID
        for _ in 0..<512 {
            if let index = index(ofReply: id), replies[index].session == session, matches(replies[index]) {
                return index
            }
            id &-= 1
        }
        return nil
    }

    /// Writes the reply's row when both its ends are known.
    mutating func complete(_ index: Int) {
        let flags = replies[index].flags
        guard configuration.writesRows, flags.isSuperset(of: [.measured, .stamped, .receiptKnown]),
            !flags.contains(.replyRowWritten)
        else { return }
        writeReplyRow(index)
    }

    /// Writes the rows that a probe still lacks with what is known by now.
    mutating func finish(_ id: UInt32) {
        guard configuration.writesRows, let index = index(ofReply: id), !replies[index].isFinished else { return }
        if !replies[index].flags.contains(.probeRowWritten) { writeProbeRow(index) }
        if !replies[index].flags.contains(.replyRowWritten) { writeReplyRow(index) }
    }

    private mutating func writeProbeRow(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.probeRowWritten)
        guard slot.flags.contains(.measured) else { return }
        var row = PacketRecord(
            session: slot.identifier, packet: .probe, sequence: slot.probe.sequence,
            replySequence: slot.reply.sequence, direction: .in, bytes: slot.bytes, status: slot.probeStatus,
            transmitApp: slot.probe.app, transmitSched: slot.probe.sched, transmitSoftware: slot.probe.software,
            transmitHardware: slot.probe.hardware, receiveHardware: slot.probeReceived.hardware,
            receiveSoftware: slot.probeReceived.software, receiveApp: slot.probeReceived.app, ttl: slot.ttl,
            dscp: slot.dscp)
        finish(&row, slot, isProbe: true)
        push(.row(row, lateness: nil))
    }

    private mutating func writeReplyRow(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.replyRowWritten)
        guard slot.flags.contains(.measured) else { return }
        var row = PacketRecord(
            session: slot.identifier, packet: .reply, sequence: slot.probe.sequence,
            replySequence: slot.reply.sequence, direction: .out, bytes: slot.replyBytes,
            // Only the sender's word proves that a reply arrived.
            status: slot.flags.contains(.receiptKnown) ? .ok : .unknown,
            transmitApp: slot.reply.app, transmitSched: slot.reply.sched, transmitSoftware: slot.reply.software,
            transmitHardware: slot.reply.hardware, receiveHardware: slot.replyReceived.hardware,
            receiveSoftware: slot.replyReceived.software, receiveApp: slot.replyReceived.app, ttl: 255,
            dscp: slot.replyDSCP)
        finish(&row, slot, isProbe: false)
        push(.row(row, lateness: nil))
    }

    /// Fills in the delay with its error and the reasons for what is missing.
    private mutating func finish(_ row: inout PacketRecord, _ slot: ReplySlot, isProbe: Bool) {
        // The place may have gone to another session since.
        let isKnown = table[slot.session].identifier == slot.identifier
        let isPaired = isKnown && table[slot.session].isPaired
        row.computeDelay(error: nil)
        if isKnown {
            table[slot.session].relation.learn(
                forward: isProbe ? row.delay : nil, reverse: isProbe ? nil : row.delay)
            row.computeDelay(error: table[slot.session].relation.error)
        }
        if isProbe, row.transmitSoftware == nil { row.transmitMissing = isPaired ? .notReceived : .noFollowUp }
        if !isProbe { row.transmitMissing = slot.stampMissing }
        if row.receiveSoftware == nil { row.receiveMissing = .notReceived }
    }
}
