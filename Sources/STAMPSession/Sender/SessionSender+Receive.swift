import Report
import STAMPWire

/// A received packet without its STAMP packet: its timestamps and the fields of its headers.
public struct Arrival: Sendable, BitwiseCopyable {
    public var times: ReceiveTimes
    /// The length of the whole packet on the wire, in bytes.
    public var bytes: Int32
    /// The TTL or hop limit; 0 without IP, as are ``dscp`` and ``ecn``.
    public var hopLimit: UInt8
    public var dscp: UInt8
    public var ecn: UInt8

    public init(times: ReceiveTimes, bytes: Int32, hopLimit: UInt8 = 0, dscp: UInt8 = 0, ecn: UInt8 = 0) {
        self.times = times
        self.bytes = bytes
        self.hopLimit = hopLimit
        self.dscp = dscp
        self.ecn = ecn
    }
}

extension SessionSender {
    /// Receives a packet from the peer's address and port. What is no reply to one of the session's probes is counted
    /// and ignored.
    ///
    /// - Parameters:
    ///   - payload: the STAMP packet.
    ///   - now: read after the packet was received, and after the clock was checked for a step.
    public mutating func receive(_ payload: RawSpan, _ arrival: Arrival, at now: HostTime) {
        guard let reply = ReflectorPacket(decoding: payload) else { return result.rejected.short &+= 1 }
        guard reply.ssid == configuration.ssid || reply.ssid == 0 else { return result.rejected.wrongSession &+= 1 }
        let sequence = reply.senderSequence
        guard let index = slots.index(of: sequence) else {
            if next &- sequence &- 1 < 1 << 31, next != sequence {
                result.repliesAfterWriteOff &+= 1
            } else {
                result.rejected.stray &+= 1
            }
            return
        }
        guard answers(reply, index) else { return result.rejected.stray &+= 1 }
        let telemetry = ReplyTelemetry(payload)
        update(from: reply, telemetry, now)
        repliesReceived &+= 1
        if let notice = silence.end(lastReplyAt: lastReplyAt, now) { host.report(notice) }
        lastReplyAt = now.monotonic
        record(reply, arrival, telemetry, at: index, now)
        if let paired = telemetry.paired {
            record(sent: paired.transmit0, now)
            record(sent: paired.transmit1, now)
            record(received: paired.receive1, before: reply.sequence)
        }
        if let followUp = telemetry.followUp { apply(followUp, isPTP: reply.errorEstimate.isPTP, now) }
        result.hasAnswered = true
        complete(index)
    }

    /// Returns whether a reply has the send time of its probe, which the kernel accepted.
    @inline(__always)
    private func answers(_ reply: ReflectorPacket, _ index: Int) -> Bool {
        guard !slots[index].flags.contains(.refused), let app = slots[index].probe.app else { return false }
        return reply.senderTimestamp == NTPTimestamp(unixNanoseconds: app).rawValue
    }

    /// Records a reply in its probe's slot.
    private mutating func record(
        _ reply: ReflectorPacket, _ arrival: Arrival, _ telemetry: ReplyTelemetry, at index: Int, _ now: HostTime
    ) {
        let finding = order.record(replySequence: reply.sequence, probe: reply.senderSequence)
        if finding.hasRestarted { recordRestart(at: reply.senderSequence, now) }
        // Its rows are already written, as lost.
        if slots[index].isFinished, !slots[index].flags.contains(.replied) { return result.repliesAfterWriteOff &+= 1 }
        let pivot = arrival.times.app ?? now.realtime
        let probeReceived = Self.probeReceipt(reply, telemetry, near: pivot)
        let transmitted = TransmitTimes(app: reply.transmitNanoseconds(near: pivot))
        if slots[index].flags.contains(.replied) {
            return recordCopy(
                reply, arrival, probeReceived, transmitted,
                ofReply: finding.isKnown && slots[index].replySequence == reply.sequence, at: index)
        }
        judge(reply, arrival.times, at: index, now)
        if slots[index].reply.app == nil || slots[index].replySequence != reply.sequence {
            // Telemetry of the second reply to a duplicated probe can arrive before the first reply.
            slots[index].reply = transmitted
            slots[index].flags.remove(.replyStamped)
        }
        slots[index].flags.formUnion([.replied, .reachedPeer])
        slots[index].recordReply(reply.sequence, arrival)
        slots[index].probeReceived = probeReceived
        if finding.probeReordered { slots[index].flags.insert(.probeReordered) }
        if finding.replyReordered { slots[index].flags.insert(.replyReordered) }
        let isLate = now.monotonic &- slots[index].sentAt > configuration.timeoutNanoseconds
        if isLate { slots[index].flags.insert(.late) }
        // Without follow-ups, the transmit timestamp in the packet is the only one.
        if !peerSendsFollowUps { slots[index].flags.insert(.replyStamped) }
        if slots[index].flags.contains(.measured) {
            receivedReplies.add(slots[index].sequence)
            result.totals.received &+= 1
            if isLate { result.totals.sequence.late &+= 1 }
            if finding.probeReordered { result.totals.sequence.reorderedForward &+= 1 }
            if finding.replyReordered { result.totals.sequence.reorderedReverse &+= 1 }
        }
    }

    /// The probe's receive timestamps at the peer: from its telemetry, or T2 alone.
    private static func probeReceipt(
        _ reply: ReflectorPacket, _ telemetry: ReplyTelemetry, near now: Int64
    ) -> ReceiveTimes {
        if let reported = telemetry.paired?.receive0, reported.sequence == reply.senderSequence {
            return reported.times
        }
        // The timestamping method that the peer states for T2 is not reliable, so the least precise one is assumed.
        return ReceiveTimes(app: reply.receiveNanoseconds(near: now))
    }

    /// Writes the rows of a second reply to one probe: both rows if the probe was duplicated, the reply's if the reply
    /// was.
    private mutating func recordCopy(
        _ reply: ReflectorPacket, _ arrival: Arrival, _ probeReceived: ReceiveTimes, _ transmitted: TransmitTimes,
        ofReply isReplyCopy: Bool, at index: Int
    ) {
        guard slots[index].flags.contains(.measured) else { return }
        var copy = slots[index]
        if copy.epoch != epochs.current { copy.flags.insert(.crossing) }
        copy.recordReply(reply.sequence, arrival)
        if isReplyCopy {
            result.totals.sequence.duplicatedReverse &+= 1
        } else {
            result.totals.sequence.duplicatedForward &+= 1
            copy.probeReceived = probeReceived
            copy.reply = transmitted
            host.record(probeRow(copy, status: .duplicate), lateness: nil)
        }
        host.record(replyRow(copy, status: .duplicate), lateness: nil)
    }

    /// Updates the state of the peer from a reply.
    private mutating func update(from reply: ReflectorPacket, _ telemetry: ReplyTelemetry, _ now: HostTime) {
        result.relation.update(local: now.errorEstimate, peer: reply.errorEstimate)
        if telemetry.knowsFollowUps { peerSendsFollowUps = true }
        if let paired = telemetry.paired {
            update(ofClock: paired, now)
            order.markStateful()
            if let known = peerInstance, known != paired.instance {
                order.restart()
                recordRestart(at: reply.senderSequence, now)
            }
            peerInstance = paired.instance
        }
        if !result.hasAnswered { host.report(.peerAnswered(isPaired: telemetry.paired != nil)) }
    }

    /// Records that the reflector restarted its count. Its earlier numbers cannot be compared with later ones.
    ///
    /// - Parameter sequence: the first probe that it answered.
    private mutating func recordRestart(at sequence: UInt32, _ now: HostTime) {
        lastAnsweredReply = nil
        gap = nil
        result.peerRestarts &+= 1
        if result.firstAnsweredAfterRestart.count < Outages.limit { result.firstAnsweredAfterRestart.append(sequence) }
        if restartNotices.admits(now.monotonic) { host.report(.peerRestarted) }
    }

    /// Records a reply's transmit timestamps, which the peer reports later. They also prove that the probe reached it.
    private mutating func record(sent stamps: TransmitStamps?, _ now: HostTime) {
        guard let stamps, let index = slots.index(of: stamps.answered) else { return }
        order.recordSent(replySequence: stamps.sequence, probe: stamps.answered)
        slots[index].flags.insert(.reachedPeer)
        // These are timestamps of the second reply to a duplicated probe.
        if slots[index].flags.contains(.replied), slots[index].replySequence != stamps.sequence { return }
        slots[index].reply = stamps.times
        slots[index].replySequence = stamps.sequence
        slots[index].flags.insert(.replyStamped)
        complete(index)
    }

    /// Records the receipt of the probe before the answered one. The reflector numbers every reply, those that its kernel
    /// refuses to send included, so that probe's reply has the number before this one's.
    private mutating func record(received stamps: ReceiveStamps?, before replySequence: UInt32) {
        guard let stamps, let index = slots.index(of: stamps.sequence) else { return }
        order.recordSent(replySequence: replySequence &- 1, probe: stamps.sequence)
        slots[index].flags.insert(.reachedPeer)
        if !slots[index].flags.contains(.replied) { slots[index].probeReceived = stamps.times }
    }

    /// Applies a Follow-Up Telemetry TLV (RFC 8972 section 4.7), which names a reply by the reflector's sequence
    /// number.
    private mutating func apply(_ followUp: FollowUp, isPTP: Bool, _ now: HostTime) {
        guard !followUp.isAbsent, let probe = order.probe(ofReply: followUp.sequence),
            let index = slots.index(of: probe), slots[index].replySequence == followUp.sequence,
            !slots[index].flags.contains(.replyStamped),
            let stamp = followUp.unixNanoseconds(isPTP: isPTP, near: now.realtime)
        else { return }
        slots[index].reply.software = stamp
        // A paired peer reports all timestamps in its own TLV later.
        if peerInstance == nil {
            slots[index].flags.insert(.replyStamped)
            complete(index)
        }
    }
}

extension ProbeSlot {
    fileprivate mutating func recordReply(_ sequence: UInt32, _ arrival: Arrival) {
        replySequence = sequence
        replyReceived = arrival.times
        replyTTL = arrival.hopLimit
        replyDSCP = arrival.dscp
        replyBytes = arrival.bytes
    }
}
