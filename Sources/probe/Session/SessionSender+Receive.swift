import FastAFPacket
import LinuxKernel
import Report
import STAMPWire

extension SessionSender {
    /// Receives pending replies, up to a limit, so that a flood does not keep the thread from its other work.
    mutating func receiveReplies(_ batch: inout ReceiveBatch) {
        for _ in 0..<Endpoint.rounds {
            do throws(SystemError) {
                try endpoint.conn.receiveNow(&batch)
            } catch {
                return update(ofReceiving: error)
            }
            guard batch.count > 0 else { return }
            let appTime = ClockID.realtime.now()
            checkClock()
            batch.forEach { bytes, packet in receive(bytes, packet, appTime) }
            if batch.count < batch.capacity { return }
        }
    }

    /// Handles an error of a receive call. ENETDOWN is reported, and the socket works again when the interface is up.
    /// Other errors end the session.
    private mutating func update(ofReceiving error: SystemError) {
        if error.code == ErrorCode.networkDown {
            report(.receiveFailed(code: error.code, role: .sender))
        } else {
            result.failure = error
        }
    }

    private mutating func receive(_ bytes: RawSpan, _ packet: borrowing ReceivedPacket, _ appTime: Int64) {
        guard !packet.isTruncated else { return result.rejected.truncated &+= 1 }
        let arrival: Arrival
        do throws(FrameError) {
            arrival = try endpoint.arrival(of: bytes, packet)
        } catch {
            return result.rejected.count(error)
        }
        guard arrival.source.address == configuration.peer.address, arrival.source.port == configuration.peer.port
        else { return result.rejected.stray &+= 1 }
        let payload = bytes.extracting(arrival.payload)
        guard let reply = ReflectorPacket(decoding: payload) else { return result.rejected.short &+= 1 }
        guard reply.ssid == configuration.ssid || reply.ssid == 0 else { return result.rejected.wrongSession &+= 1 }
        let sequence = reply.senderSequence
        guard let index = index(ofProbe: sequence) else {
            if next &- sequence &- 1 < 1 << 31, next != sequence {
                result.repliesAfterWriteOff &+= 1
            } else {
                result.rejected.stray &+= 1
            }
            return
        }
        guard slots[index].wireT1 == reply.senderTimestamp else { return result.rejected.stray &+= 1 }

        let receipt = ReceiveStamps(
            sequence: reply.sequence,
            nic: phc.received(
                packet.stamps.hardware, before: packet.stamps.software ?? appTime, endpoint.receiveStamping,
                &result.receiveStamping),
            software: packet.stamps.software,
            app: appTime)
        let telemetry = ReplyTelemetry(payload)
        update(from: reply, telemetry, near: appTime)
        repliesReceived &+= 1
        let now = ClockID.monotonic.now()
        if let notice = silence.end(lastReplyAt: lastReplyAt, now) { report(notice) }
        lastReplyAt = now
        record(reply, receipt, arrival, telemetry, at: index)
        if let paired = telemetry.paired {
            record(sent: paired.transmit0)
            record(sent: paired.transmit1)
            record(received: paired.receive1, before: reply.sequence)
        }
        if let followUp = telemetry.followUp { apply(followUp, isPTP: reply.errorEstimate.isPTP, near: appTime) }
        result.hasAnswered = true
        complete(index)
    }

    /// Records a reply in its probe's slot.
    private mutating func record(
        _ reply: ReflectorPacket, _ receipt: ReceiveStamps, _ arrival: Arrival, _ telemetry: ReplyTelemetry,
        at index: Int
    ) {
        let finding = order.record(replySequence: reply.sequence, probe: reply.senderSequence)
        if finding.hasRestarted { recordRestart(at: reply.senderSequence) }
        // Its rows are already written, as lost.
        if slots[index].isFinished, !slots[index].flags.contains(.replied) { return result.repliesAfterWriteOff &+= 1 }
        let probeReceived = Self.probeReceipt(reply, telemetry, near: receipt.app ?? 0)
        let transmitted = TransmitStamps(
            sequence: reply.sequence, answered: reply.senderSequence,
            app: reply.transmitNanoseconds(near: receipt.app ?? 0))
        if slots[index].flags.contains(.replied) {
            return recordCopy(
                reply, receipt, arrival, probeReceived, transmitted,
                ofReply: finding.isKnown && slots[index].replySequence == reply.sequence, at: index)
        }
        judge(reply, receipt, at: index)
        slots[index].flags.insert([.replied, .reachedPeer])
        slots[index].replySequence = reply.sequence
        slots[index].replyReceived = receipt
        slots[index].probeReceived = probeReceived
        if slots[index].reply.app == nil || slots[index].reply.sequence != reply.sequence {
            // Telemetry of the second reply to a duplicated probe can arrive before the first reply.
            slots[index].reply = transmitted
            slots[index].flags.remove(.replyStamped)
        }
        slots[index].replyTTL = arrival.hopLimit
        slots[index].replyDSCP = arrival.dscp
        slots[index].replyBytes = Int32(clamping: arrival.frameBytes)
        if finding.probeReordered { slots[index].flags.insert(.probeReordered) }
        if finding.replyReordered { slots[index].flags.insert(.replyReordered) }
        let isLate = ClockID.monotonic.now() &- slots[index].sentAt > configuration.timeoutNanoseconds
        if isLate { slots[index].flags.insert(.late) }
        // Without follow-ups, the transmit timestamp in the packet is the only one.
        if !peerSendsFollowUps { slots[index].flags.insert(.replyStamped) }
        if slots[index].flags.contains(.measured) {
            receivedReplies.add(slots[index].sequence)
            result.totals.received &+= 1
            if isLate { result.sequenceTotals.late &+= 1 }
            if finding.probeReordered { result.sequenceTotals.reorderedForward &+= 1 }
            if finding.replyReordered { result.sequenceTotals.reorderedReverse &+= 1 }
        }
    }

    /// The probe's receive timestamps at the peer: from its telemetry, or T2 alone.
    private static func probeReceipt(
        _ reply: ReflectorPacket, _ telemetry: ReplyTelemetry, near now: Int64
    ) -> ReceiveStamps {
        if let reported = telemetry.paired?.receive0, reported.sequence == reply.senderSequence { return reported }
        // The timestamping method that the peer states for T2 is not reliable, so the least precise one is assumed.
        return ReceiveStamps(sequence: reply.senderSequence, app: reply.receiveNanoseconds(near: now))
    }

    /// Writes the rows of a second reply to one probe: both rows if the probe was duplicated, the reply's if the reply
    /// was.
    private mutating func recordCopy(
        _ reply: ReflectorPacket, _ receipt: ReceiveStamps, _ arrival: Arrival, _ probeReceived: ReceiveStamps,
        _ transmitted: TransmitStamps, ofReply isReplyCopy: Bool, at index: Int
    ) {
        guard slots[index].flags.contains(.measured) else { return }
        var copy = slots[index]
        if copy.epoch != epochs.current { copy.flags.insert(.crossing) }
        copy.replySequence = reply.sequence
        copy.replyReceived = receipt
        copy.replyTTL = arrival.hopLimit
        copy.replyDSCP = arrival.dscp
        copy.replyBytes = Int32(clamping: arrival.frameBytes)
        if isReplyCopy {
            result.sequenceTotals.duplicatedReverse &+= 1
        } else {
            result.sequenceTotals.duplicatedForward &+= 1
            copy.probeReceived = probeReceived
            copy.reply = transmitted
            push(.row(probeRow(copy, status: .duplicate), lateness: nil))
        }
        push(.row(replyRow(copy, status: .duplicate), lateness: nil))
    }

    /// Updates the state of the peer from a reply.
    private mutating func update(from reply: ReflectorPacket, _ telemetry: ReplyTelemetry, near now: Int64) {
        relation.update(local: ErrorEstimate(rawValue: control.errorEstimate), peer: reply.errorEstimate)
        if telemetry.knowsFollowUps { peerSendsFollowUps = true }
        if let paired = telemetry.paired {
            update(ofClock: paired)
            order.markStateful()
            if let known = peerInstance, known != paired.instance {
                order.restart()
                recordRestart(at: reply.senderSequence)
            }
            peerInstance = paired.instance
        }
        if !result.hasAnswered { report(.peerAnswered(isPaired: telemetry.paired != nil)) }
    }

    /// Records that the reflector restarted its count. Its earlier numbers cannot be compared with later ones.
    ///
    /// - Parameter sequence: the first probe that it answered.
    private mutating func recordRestart(at sequence: UInt32) {
        lastAnsweredReply = nil
        gap = nil
        result.peerRestarts &+= 1
        if result.firstAnsweredAfterRestart.count < Outages.limit { result.firstAnsweredAfterRestart.append(sequence) }
        if restartNotices.admits(ClockID.monotonic.now()) { report(.peerRestarted) }
    }

    /// Records a reply's transmit timestamps, which the peer reports later. They also prove that the probe reached it.
    private mutating func record(sent stamps: TransmitStamps?) {
        guard let stamps, let index = index(ofProbe: stamps.answered) else { return }
        order.recordSent(replySequence: stamps.sequence, probe: stamps.answered)
        slots[index].flags.insert(.reachedPeer)
        // These are timestamps of the second reply to a duplicated probe.
        if slots[index].flags.contains(.replied), slots[index].replySequence != stamps.sequence { return }
        slots[index].reply = stamps
        slots[index].replySequence = stamps.sequence
        slots[index].flags.insert(.replyStamped)
        complete(index)
    }

    /// Records the receipt of the probe before the answered one. The reflector numbers every reply, those that its kernel
    /// refuses to send included, so that probe's reply has the number before this one's.
    private mutating func record(received stamps: ReceiveStamps?, before replySequence: UInt32) {
        guard let stamps, let index = index(ofProbe: stamps.sequence) else { return }
        order.recordSent(replySequence: replySequence &- 1, probe: stamps.sequence)
        slots[index].flags.insert(.reachedPeer)
        if !slots[index].flags.contains(.replied) { slots[index].probeReceived = stamps }
    }

    /// Applies a Follow-Up Telemetry TLV (RFC 8972 section 4.7), which names a reply by the reflector's sequence
    /// number.
    private mutating func apply(_ followUp: FollowUp, isPTP: Bool, near now: Int64) {
        guard !followUp.isAbsent, let probe = order.probe(ofReply: followUp.sequence),
            let index = index(ofProbe: probe), slots[index].replySequence == followUp.sequence,
            !slots[index].flags.contains(.replyStamped),
            let stamp = followUp.unixNanoseconds(isPTP: isPTP, near: now)
        else { return }
        slots[index].reply.software = stamp
        // A paired peer reports all timestamps in its own TLV later.
        if peerInstance == nil {
            slots[index].flags.insert(.replyStamped)
            complete(index)
        }
    }
}

/// The TLVs of a reply that the session uses, as far as the peer recognised them.
struct ReplyTelemetry {
    var followUp: FollowUp?
    var paired: PairedTimestamps?
    /// True if the peer has cleared the U flag of the Follow-Up Telemetry TLV: it supports follow-ups.
    var knowsFollowUps = false

    init(_ payload: RawSpan) {
        var found = (followUp: FollowUp?.none, paired: PairedTimestamps?.none, knows: false, isTrusted: true)
        forEachTLV(in: payload) { tlv in
            if tlv.isMalformed || tlv.hasFailedIntegrity { found.isTrusted = false }
            guard found.isTrusted, !tlv.isUnrecognized else { return }
            switch tlv.type {
            case TLVType.followUp:
                found.knows = true
                found.followUp = FollowUp(decoding: payload.extracting(tlv.value))
            case TLVType.pairedTimestamps:
                found.paired = PairedTimestamps(decoding: payload.extracting(tlv.value))
            default:
                break
            }
        }
        followUp = found.followUp
        paired = found.paired
        knowsFollowUps = found.knows
    }
}
