import FastAFPacket
import HostClocks
import LinuxKernel
import Report
import STAMPWire

extension SessionReflector {
    /// Records the timestamps of earlier probes and replies that a probe reports.
    mutating func update(from paired: PairedTimestamps, _ session: Int) {
        update(of: paired.transmit0, session)
        update(of: paired.transmit1, session)
        update(of: paired.receive0, session)
        update(of: paired.receive1, session)
    }

    private mutating func update(of stamps: TransmitStamps?, _ session: Int) {
        guard let stamps, let newest = table[session].newestProbe,
            let index = find(session, back: newest &- stamps.sequence, { $0.probe.sequence == stamps.sequence }),
            !replies[index].flags.contains(.probeRowWritten)
        else { return }
        replies[index].probe = stamps
        writeProbeRow(index)
    }

    private mutating func update(of stamps: ReceiveStamps?, _ session: Int) {
        guard let stamps,
            let index = find(
                session, back: table[session].nextReply &- 1 &- stamps.sequence,
                { $0.reply.sequence == stamps.sequence })
        else { return }
        replies[index].replyReceived = stamps
        replies[index].flags.insert(.receiptKnown)
        complete(index)
    }

    /// Finds the session's reply that matches. With one session, the distance in IDs equals that in sequence numbers.
    /// With several, the session's replies are searched from the newest back.
    private func find(_ session: Int, back distance: UInt32, _ matches: (ReplySlot) -> Bool) -> Int? {
        var id = table[session].newestID
        if let index = index(ofReply: id &- distance), replies[index].session == session, matches(replies[index]) {
            return index
        }
        for _ in 0..<1024 {
            guard let index = index(ofReply: id), replies[index].session == session else { return nil }
            if matches(replies[index]) { return index }
            guard replies[index].previous != id else { return nil }
            id = replies[index].previous
        }
        return nil
    }

    /// Writes the reply's row once the timestamps of both ends are known.
    mutating func complete(_ index: Int) {
        let flags = replies[index].flags
        guard configuration.writesRows, flags.isSuperset(of: [.measured, .stamped]),
            flags.contains(.receiptKnown) || !table[replies[index].session].isPaired,
            !flags.contains(.replyRowWritten)
        else { return }
        writeReplyRow(index)
    }

    /// Writes the outstanding rows of a probe from the data at hand.
    mutating func finish(_ id: UInt32) {
        guard configuration.writesRows, let index = index(ofReply: id), !replies[index].isFinished else { return }
        if !replies[index].flags.contains(.probeRowWritten) { writeProbeRow(index) }
        if !replies[index].flags.contains(.replyRowWritten) { writeReplyRow(index) }
    }

    mutating func writeProbeRow(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.probeRowWritten)
        guard slot.flags.contains(.measured) else { return }
        var row = PacketRecord(
            session: slot.identifier, packet: .probe, sequence: slot.probe.sequence,
            replySequence: slot.reply.sequence, direction: .in, bytes: slot.bytes, status: slot.probeStatus,
            ttl: endpoint.hasIP ? slot.ttl : nil, dscp: endpoint.hasIP ? slot.dscp : nil)
        row.record(slot.probe)
        row.record(slot.probeReceived)
        finish(&row, slot, isProbe: true)
        push(.row(row, lateness: nil))
    }

    private mutating func writeReplyRow(_ index: Int) {
        let slot = replies[index]
        replies[index].flags.insert(.replyRowWritten)
        guard slot.flags.contains(.measured) else { return }
        // Only the sender's report proves that the reply arrived.
        var row = replyRow(slot, status: slot.flags.contains(.receiptKnown) ? .ok : .unknown)
        row.record(slot.reply)
        row.record(slot.replyReceived)
        finish(&row, slot, isProbe: false)
        push(.row(row, lateness: nil))
    }

    /// Writes the row of a reply that the kernel refused to send.
    mutating func writeRefusal(_ index: Int, code: Int32) {
        let slot = replies[index]
        guard slot.flags.contains(.measured) else { return }
        var row = replyRow(slot, status: .notSent)
        row.sendError = Int16(clamping: code)
        row.transmitApp = slot.reply.app
        finish(&row, slot, isProbe: false)
        row.transmitMissing = nil
        row.receiveMissing = nil
        push(.row(row, lateness: nil))
    }

    private func replyRow(_ slot: ReplySlot, status: PacketStatus) -> PacketRecord {
        PacketRecord(
            session: slot.identifier, packet: .reply, sequence: slot.probe.sequence,
            replySequence: slot.reply.sequence, direction: .out, bytes: slot.replyBytes, status: status,
            ttl: endpoint.hasIP ? 255 : nil, dscp: endpoint.hasIP ? slot.replyDSCP : nil)
    }

    /// The clock epoch of a row; nil if a clock was set before all its timestamps were known.
    private mutating func clockEpoch(_ slot: ReplySlot) -> UInt16? {
        table[slot.session].clock.follow(localSteps: clockWatch.steps)
        let clock = table[slot.session].clock
        return slot.flags.contains(.crossing) || slot.epoch != clock.current ? nil : clock.label(slot.epoch)
    }

    /// Sets the row's delay, its error, and the reasons for missing timestamps.
    private mutating func finish(_ row: inout PacketRecord, _ slot: ReplySlot, isProbe: Bool) {
        // The place may belong to another session by now.
        let isKnown = table[slot.session].identifier == slot.identifier
        let isPaired = isKnown && table[slot.session].isPaired
        row.clockEpoch = isKnown ? clockEpoch(slot) : nil
        if isKnown {
            let source = table[slot.session].key.source
            row.peer = endpoint.hasIP ? .ip(source.address) : table[slot.session].station.map(PeerAddress.station)
            row.peerPort = source.port
        }
        if row.clockEpoch != nil, let delay = row.softwareDelay {
            table[slot.session].relation.update(forward: isProbe ? delay : nil, reverse: isProbe ? nil : delay)
        }
        row.computeDelay(
            error: isKnown ? table[slot.session].relation.error : nil,
            usingHardware: configuration.stamps.usesHardwareOnly)
        row.transmitMissing =
            isProbe
            ? row.reasonForMissingStamp(slot.probe, else: isPaired ? .notReceived : .noFollowUp)
            : row.reasonForMissingStamp(slot.stampMissing, expecting: ledger.expected)
        if configuration.stamps.usesHardwareOnly { row.explainMissingPeerStamp() }
    }
}
