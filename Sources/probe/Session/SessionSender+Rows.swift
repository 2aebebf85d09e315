import FastAFPacket
import LinuxKernel
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
    mutating func finish(_ sequence: UInt32) {
        guard let index = index(ofProbe: sequence), slots[index].flags.contains(.measured), !slots[index].isFinished
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
        push(.row(row, lateness: slots[index].lateness))
    }

    private mutating func writeReplyRow(_ index: Int) {
        let flags = slots[index].flags
        let status: PacketStatus = flags.contains(.late) ? .late : flags.contains(.replyReordered) ? .reordered : .ok
        var row = replyRow(slots[index], status: status)
        update(from: &row)
        slots[index].flags.insert(.replyRowWritten)
        push(.row(row, lateness: nil))
    }

    /// Updates the clocks' relation from a row's delay, and the row from the relation: a delay that reveals two clocks
    /// makes its own row relative.
    private mutating func update(from row: inout PacketRecord) {
        guard row.clockEpoch != nil, let delay = row.softwareDelay else { return }
        relation.update(forward: row.packet == .probe ? delay : nil, reverse: row.packet == .reply ? delay : nil)
        row.computeDelay(error: relation.error, usingHardware: configuration.stamps.usesHardwareOnly)
        if relation.disagrees, !hasWarnedOfClocks {
            hasWarnedOfClocks = true
            report(.clocksDisagree)
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
            result.sequenceTotals.lostForward &+= 1
            result.totals.lostForward &+= 1
        case .reverse:
            (probeStatus, replyStatus) = (.ok, .lost)
            slots[index].flags.insert(.lostReverse)
            result.sequenceTotals.lostReverse &+= 1
            result.totals.lostReverse &+= 1
        case .unknown:
            (probeStatus, replyStatus) = (.unknown, .unknown)
            result.sequenceTotals.lostUnknown &+= 1
            result.totals.lostUnknown &+= 1
        }
        if !slots[index].flags.contains(.probeRowWritten) {
            push(.row(probeRow(slots[index], status: probeStatus), lateness: slots[index].lateness))
        }
        push(.row(replyRow(slots[index], status: replyStatus), lateness: nil))
        slots[index].flags.insert(.finished)
    }

    /// Writes the two rows of a probe that the kernel refused to send, which has no reply either.
    mutating func writeRefusal(_ index: Int) {
        var row = probeRow(slots[index], status: .notSent)
        row.sendError = Int16(clamping: slots[index].sendError)
        row.transmitMissing = nil
        row.receiveMissing = nil
        push(.row(row, lateness: nil))
        var reply = replyRow(slots[index], status: .absent)
        reply.transmitMissing = nil
        reply.receiveMissing = nil
        push(.row(reply, lateness: nil))
    }

    private mutating func directionOfLoss(_ index: Int) -> LossGap.Direction {
        if slots[index].flags.contains(.reachedPeer) { return .reverse }
        let sequence = slots[index].sequence
        if let gap, gap.covers(sequence), gap.isFinal || gap.replies == repliesReceived { return gap.direction }
        let found = findGap(around: sequence)
        gap = found
        return found.direction
    }

    /// Finds the gap of unanswered probes around one, and the direction of its loss.
    ///
    /// The reflector counts its replies. If it sent no unknown reply between the nearest answered probes, all probes in
    /// between were lost forward. If it sent as many unknown replies as probes are missing, all replies were lost in
    /// reverse.
    private func findGap(around sequence: UInt32) -> LossGap {
        let first = nearestAnswered(from: sequence, step: 0 &- 1)
        let last = nearestAnswered(from: sequence, step: 1)
        let isFinal = last.index != nil
        var gap = LossGap(
            first: first.sequence, last: last.sequence, direction: .unknown, isFinal: isFinal,
            replies: repliesReceived)
        guard order.isStateful, let after = last.index,
            let reply = first.index.map({ slots[$0].replySequence }) ?? lastAnsweredReply,
            let unknownReplies = order.unknownReplies(between: reply, and: slots[after].replySequence)
        else { return gap }
        // Without the peer's telemetry, a reply after the gap may answer a reordered probe of the gap.
        let isSettled = peerInstance != nil || !order.hasUnexplainedReplies(after: slots[after].replySequence)
        guard first.index != nil else {
            // Earlier probes are no longer kept and cannot be counted, but zero unknown replies still prove the loss.
            gap.direction = unknownReplies == 0 && isSettled ? .forward : .unknown
            return gap
        }
        var missing = 0
        var between = first.sequence &+ 1
        while between != last.sequence {
            if !slots[slotIndex(between)].flags.contains(.reachedPeer) { missing += 1 }
            between &+= 1
        }
        if unknownReplies == 0 {
            gap.direction = isSettled ? .forward : .unknown
        } else if unknownReplies == missing {
            gap.direction = .reverse
        }
        return gap
    }

    /// The nearest answered probe in one direction, or the first one that is not kept.
    private func nearestAnswered(from start: UInt32, step: UInt32) -> (index: Int?, sequence: UInt32) {
        var sequence = start &+ step
        for _ in 0..<slots.count {
            guard let index = index(ofProbe: sequence) else { break }
            if slots[index].flags.contains(.replied) { return (index, sequence) }
            sequence &+= step
        }
        return (nil, sequence)
    }

    /// The peer's address in the rows.
    private var peerAddress: PeerAddress {
        configuration.station.map(PeerAddress.station) ?? .ip(configuration.peer.address)
    }

    /// The probe's row: sent by this host, received by the peer.
    func probeRow(_ slot: ProbeSlot, status: PacketStatus) -> PacketRecord {
        var row = PacketRecord(
            session: configuration.session, packet: .probe, sequence: slot.sequence,
            replySequence: slot.flags.contains(.replied) ? slot.replySequence : nil, direction: .out,
            bytes: Int32(clamping: headers.frameBytes(payload: configuration.layout.size)), status: status,
            ttl: endpoint.hasIP ? configuration.hopLimit : nil, dscp: endpoint.hasIP ? configuration.dscp : nil)
        row.peer = peerAddress
        row.peerPort = configuration.peer.port
        row.record(slot.probe)
        row.record(slot.probeReceived)
        row.clockEpoch = clockEpoch(slot, isReply: false)
        row.computeDelay(error: relation.error, usingHardware: configuration.stamps.usesHardwareOnly)
        row.transmitMissing = row.reasonForMissingStamp(slot.stampMissing, expecting: ledger.expected)
        if configuration.stamps.usesHardwareOnly { row.explainMissingPeerStamp() }
        return row
    }

    /// The reply's row: sent by the peer, received by this host.
    func replyRow(_ slot: ProbeSlot, status: PacketStatus) -> PacketRecord {
        let hasReply = slot.flags.contains(.replied)
        let isKnown = hasReply || slot.flags.contains(.replyStamped)
        var row = PacketRecord(
            session: configuration.session, packet: .reply, sequence: slot.sequence,
            replySequence: isKnown ? slot.replySequence : nil, direction: .in, bytes: slot.replyBytes, status: status,
            ttl: hasReply && endpoint.hasIP ? slot.replyTTL : nil,
            dscp: hasReply && endpoint.hasIP ? slot.replyDSCP : nil)
        row.peer = peerAddress
        row.peerPort = configuration.peer.port
        row.record(slot.reply)
        row.record(slot.replyReceived)
        row.clockEpoch = clockEpoch(slot, isReply: true)
        row.computeDelay(error: relation.error, usingHardware: configuration.stamps.usesHardwareOnly)
        row.transmitMissing = row.reasonForMissingStamp(
            slot.reply, else: peerSendsFollowUps ? .notReceived : .noFollowUp)
        if configuration.stamps.usesHardwareOnly { row.explainMissingPeerStamp() }
        return row
    }
}
