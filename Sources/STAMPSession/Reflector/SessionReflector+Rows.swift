import Report
import STAMPWire

extension SessionReflector {
    /// Records the timestamps of earlier probes and replies that a probe reports.
    mutating func update(from paired: PairedTimestamps, _ place: Int) {
        update(of: paired.transmit0, place)
        update(of: paired.transmit1, place)
        update(of: paired.receive0, place)
        update(of: paired.receive1, place)
    }

    private mutating func update(of stamps: TransmitStamps?, _ place: Int) {
        guard let stamps, let index = index(ofProbe: stamps.sequence, place),
            !table[place].replies[index].flags.contains(.probeRowWritten)
        else { return }
        table[place].replies[index].probe = stamps.times
        writeProbeRow(index, place)
    }

    private mutating func update(of stamps: ReceiveStamps?, _ place: Int) {
        guard let stamps, let index = table[place].replies.index(of: table[place].firstID &+ stamps.sequence)
        else { return }
        table[place].replies[index].replyReceived = stamps.times
        table[place].replies[index].flags.insert(.receiptKnown)
        complete(index, place)
    }

    /// Finds the reply to a probe. Without loss, the distance in IDs equals that in sequence numbers; otherwise the
    /// session's replies are searched from the newest back.
    @inline(__always)
    private func index(ofProbe sequence: UInt32, _ place: Int) -> Int? {
        let newest = table[place].replies.next &- 1
        if let newestProbe = table[place].newestProbe,
            let index = table[place].replies.index(of: newest &- (newestProbe &- sequence)),
            table[place].replies[index].sequence == sequence
        {
            return index
        }
        var id = newest
        for _ in 0..<1024 {
            guard let index = table[place].replies.index(of: id) else { return nil }
            if table[place].replies[index].sequence == sequence { return index }
            id &-= 1
        }
        return nil
    }

    /// Writes the reply's row once the timestamps of both ends are known.
    mutating func complete(_ index: Int, _ place: Int) {
        let flags = table[place].replies[index].flags
        guard configuration.writesRows, flags.isSuperset(of: [.measured, .stamped]),
            flags.contains(.receiptKnown) || !table[place].isPaired, !flags.contains(.replyRowWritten)
        else { return }
        writeReplyRow(index, place)
    }

    /// Writes the outstanding rows of a probe from the data at hand.
    mutating func finish(_ index: Int, _ place: Int) {
        guard configuration.writesRows, !table[place].replies[index].isFinished else { return }
        if !table[place].replies[index].flags.contains(.probeRowWritten) { writeProbeRow(index, place) }
        if !table[place].replies[index].flags.contains(.replyRowWritten) { writeReplyRow(index, place) }
    }

    mutating func writeProbeRow(_ index: Int, _ place: Int) {
        table[place].replies[index].flags.insert(.probeRowWritten)
        let slot = table[place].replies[index]
        guard slot.flags.contains(.measured) else { return }
        var row = PacketRecord(
            session: table[place].identifier, packet: .probe, sequence: slot.sequence,
            replySequence: slot.replySequence, direction: .in, bytes: slot.bytes, status: slot.probeStatus,
            ttl: configuration.hasIP ? slot.ttl : nil, dscp: configuration.hasIP ? slot.dscp : nil)
        row.record(slot.probe)
        row.record(slot.probeReceived)
        finish(&row, slot, place, isProbe: true)
        host.record(row, lateness: nil)
    }

    private mutating func writeReplyRow(_ index: Int, _ place: Int) {
        table[place].replies[index].flags.insert(.replyRowWritten)
        let slot = table[place].replies[index]
        guard slot.flags.contains(.measured) else { return }
        // Only the sender's report proves that the reply arrived.
        var row = replyRow(slot, place, status: slot.flags.contains(.receiptKnown) ? .ok : .unknown)
        row.record(slot.reply)
        row.record(slot.replyReceived)
        finish(&row, slot, place, isProbe: false)
        host.record(row, lateness: nil)
    }

    /// Writes the row of a reply that the kernel refused to send.
    mutating func writeRefusal(_ index: Int, _ place: Int, code: Int32) {
        let slot = table[place].replies[index]
        guard slot.flags.contains(.measured) else { return }
        var row = replyRow(slot, place, status: .notSent)
        row.sendError = Int16(clamping: code)
        row.transmitApp = slot.reply.app
        finish(&row, slot, place, isProbe: false)
        row.transmitMissing = nil
        row.receiveMissing = nil
        host.record(row, lateness: nil)
    }

    private mutating func replyRow(_ slot: ReplySlot, _ place: Int, status: PacketStatus) -> PacketRecord {
        PacketRecord(
            session: table[place].identifier, packet: .reply, sequence: slot.sequence,
            replySequence: slot.replySequence, direction: .out, bytes: slot.replyBytes, status: status,
            ttl: configuration.hasIP ? 255 : nil, dscp: configuration.hasIP ? slot.replyDSCP : nil)
    }

    /// The clock epoch of a row; nil if a clock was set before all its timestamps were known.
    @inline(__always)
    private func clockEpoch(_ slot: ReplySlot, _ place: Int) -> UInt16? {
        let clock = table[place].clock
        return slot.flags.contains(.crossing) || slot.epoch != clock.current ? nil : clock.label(slot.epoch)
    }

    /// Sets the row's peer, its delay and error, and the reasons for missing timestamps.
    private mutating func finish(_ row: inout PacketRecord, _ slot: ReplySlot, _ place: Int, isProbe: Bool) {
        row.clockEpoch = clockEpoch(slot, place)
        row.peer =
            configuration.hasIP ? .ip(table[place].key.source) : table[place].station.map(PeerAddress.station)
        row.peerPort = table[place].key.sourcePort
        if row.clockEpoch != nil, let delay = row.softwareDelay {
            table[place].relation.update(forward: isProbe ? delay : nil, reverse: isProbe ? nil : delay)
        }
        row.computeDelay(error: table[place].relation.error, usingHardware: configuration.usesHardwareOnly)
        row.transmitMissing =
            isProbe
            ? row.reasonForMissingStamp(slot.probe, else: table[place].isPaired ? .notReceived : .noFollowUp)
            : row.reasonForMissingStamp(slot.stampMissing, expecting: configuration.expectedStamps)
        if configuration.usesHardwareOnly { row.explainMissingPeerStamp() }
    }
}
