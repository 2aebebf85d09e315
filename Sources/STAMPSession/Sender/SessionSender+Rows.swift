import Report
import STAMPWire

extension SessionSender {
    /// Writes the rows of a probe that have become complete.
    mutating func complete(_ index: Int) {
        let flags = slots[index].flags
        guard flags.contains(.measured), flags.contains(.replied) else { return }
        if flags.contains(.stamped), !flags.contains(.probeRowWritten) { writeProbeRow(index) }
        if flags.contains(.replyStamped), !flags.contains(.replyRowWritten) { writeReplyRow(index) }
    }

    /// Writes the outstanding rows of a probe from the data at hand.
    mutating func finish(_ sequence: UInt32, _ now: HostTime) {
        guard let index = slots.index(of: sequence), slots[index].flags.contains(.measured), !slots[index].isFinished
        else { return }
        if slots[index].flags.contains(.replied) {
            if !slots[index].flags.contains(.probeRowWritten) { writeProbeRow(index) }
            if !slots[index].flags.contains(.replyRowWritten) { writeReplyRow(index) }
        } else {
            writeLoss(index)
        }
    }

    private mutating func writeProbeRow(_ index: Int) {
        let flags = slots[index].flags
        var row = probeRow(slots[index], status: flags.contains(.probeReordered) ? .reordered : .ok)
        update(from: &row)
        slots[index].flags.insert(.probeRowWritten)
        host.record(row, lateness: Int64(slots[index].lateness))
    }

    private mutating func writeReplyRow(_ index: Int) {
        let flags = slots[index].flags
        let status: PacketStatus = flags.contains(.late) ? .late : flags.contains(.replyReordered) ? .reordered : .ok
        var row = replyRow(slots[index], status: status)
        update(from: &row)
        slots[index].flags.insert(.replyRowWritten)
        host.record(row, lateness: nil)
    }

    /// Updates the clocks' relation from a row's delay, and the row from the relation: a delay that reveals two clocks
    /// makes its own row relative.
    private mutating func update(from row: inout PacketRecord) {
        guard row.clockEpoch != nil, let delay = row.softwareDelay else { return }
        result.relation.update(
            forward: row.packet == .probe ? delay : nil, reverse: row.packet == .reply ? delay : nil)
        row.computeDelay(error: result.relation.error, usingHardware: configuration.usesHardwareOnly)
        if result.relation.disagrees, !hasWarnedOfClocks {
            hasWarnedOfClocks = true
            host.report(.clocksDisagree)
        }
    }

    /// Writes the two rows of an unanswered probe, with the direction of the loss if a count proves it.
    private mutating func writeLoss(_ index: Int) {
        let loss = directionOfLoss(index)
        let probeStatus: PacketStatus
        let replyStatus: PacketStatus
        switch loss {
        case .forward:
            (probeStatus, replyStatus) = (.lost, .absent)
            slots[index].flags.insert(.lostForward)
            result.totals.sequence.lostForward &+= 1
        case .reverse:
            (probeStatus, replyStatus) = (.ok, .lost)
            slots[index].flags.insert(.lostReverse)
            result.totals.sequence.lostReverse &+= 1
        case .unknown:
            (probeStatus, replyStatus) = (.unknown, .unknown)
            result.totals.sequence.lostUnknown &+= 1
        }
        if !slots[index].flags.contains(.probeRowWritten) {
            host.record(probeRow(slots[index], status: probeStatus), lateness: Int64(slots[index].lateness))
        }
        host.record(replyRow(slots[index], status: replyStatus), lateness: nil)
        slots[index].flags.insert(.finished)
    }

    /// Writes the two rows of a probe that the kernel refused to send, which has no reply either.
    mutating func writeRefusal(_ index: Int) {
        var row = probeRow(slots[index], status: .notSent)
        row.sendError = slots[index].sendError
        row.transmitMissing = nil
        row.receiveMissing = nil
        host.record(row, lateness: nil)
        var reply = replyRow(slots[index], status: .absent)
        reply.transmitMissing = nil
        reply.receiveMissing = nil
        host.record(reply, lateness: nil)
    }

    /// The probe's row: sent by this host, received by the peer.
    mutating func probeRow(_ slot: ProbeSlot, status: PacketStatus) -> PacketRecord {
        var row = PacketRecord(
            session: configuration.session, packet: .probe, sequence: slot.sequence,
            replySequence: slot.flags.contains(.replied) ? slot.replySequence : nil, direction: .out,
            bytes: Int32(clamping: configuration.frameBytes), status: status,
            ttl: configuration.hasIP ? configuration.hopLimit : nil,
            dscp: configuration.hasIP ? configuration.dscp : nil)
        row.peer = configuration.peer
        row.peerPort = configuration.peerPort
        row.record(slot.probe)
        row.record(slot.probeReceived)
        row.clockEpoch = clockEpoch(slot, isReply: false)
        row.computeDelay(error: result.relation.error, usingHardware: configuration.usesHardwareOnly)
        row.transmitMissing = row.reasonForMissingStamp(slot.stampMissing, expecting: configuration.expectedStamps)
        if configuration.usesHardwareOnly { row.explainMissingPeerStamp() }
        return row
    }

    /// The reply's row: sent by the peer, received by this host.
    mutating func replyRow(_ slot: ProbeSlot, status: PacketStatus) -> PacketRecord {
        let hasReply = slot.flags.contains(.replied)
        let isKnown = hasReply || slot.flags.contains(.replyStamped)
        var row = PacketRecord(
            session: configuration.session, packet: .reply, sequence: slot.sequence,
            replySequence: isKnown ? slot.replySequence : nil, direction: .in, bytes: slot.replyBytes, status: status,
            ttl: hasReply && configuration.hasIP ? slot.replyTTL : nil,
            dscp: hasReply && configuration.hasIP ? slot.replyDSCP : nil)
        row.peer = configuration.peer
        row.peerPort = configuration.peerPort
        row.record(slot.reply)
        row.record(slot.replyReceived)
        row.clockEpoch = clockEpoch(slot, isReply: true)
        row.computeDelay(error: result.relation.error, usingHardware: configuration.usesHardwareOnly)
        row.transmitMissing = row.reasonForMissingStamp(
            slot.reply, else: peerSendsFollowUps ? .notReceived : .noFollowUp)
        if configuration.usesHardwareOnly { row.explainMissingPeerStamp() }
        return row
    }
}
