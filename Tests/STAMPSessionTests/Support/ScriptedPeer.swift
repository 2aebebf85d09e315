import STAMPWire

/// A probe as the session-sender wrote it.
struct SentProbe {
    var sequence: UInt32
    var bytes: [UInt8]
    /// CLOCK_MONOTONIC nanoseconds.
    var sentAt: Int64

    var packet: SenderPacket { SenderPacket(decoding: bytes.span.bytes)! }

    var paired: PairedTimestamps? {
        var found: PairedTimestamps?
        let bytes = bytes.span.bytes
        forEachTLV(in: bytes) { tlv in
            if tlv.type == TLVType.pairedTimestamps {
                found = PairedTimestamps(decoding: bytes.extracting(tlv.value))
            }
        }
        return found
    }
}

/// A reply as the scripted peer wrote it.
struct ScriptedReply {
    var sequence: UInt32
    var probe: UInt32
    var bytes: [UInt8]
    /// T2 and T3 by the peer's clock, in Unix nanoseconds.
    var received: Int64
    var transmitted: Int64
}

/// A session-reflector whose every reply the test decides.
struct ScriptedPeer {
    enum Kind {
        /// Answers the paired-timestamps TLV.
        case paired
        /// Answers the TLVs of RFC 8972, and no other.
        case followUps
        /// Counts its replies, and answers no TLV.
        case stateful
        /// Copies the probe's sequence number, and answers no TLV.
        case stateless
    }

    var kind = Kind.paired
    var instance: UInt64 = 0xB0B
    var bootHash: UInt64 = 0x2222
    var clockSteps: UInt8 = 0
    /// The peer's CLOCK_REALTIME minus this host's, in nanoseconds.
    var offset: Int64 = 0
    var estimate = ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 1000)
    /// The one-way delays and the time from T2 to T3, in nanoseconds.
    var forward: Int64 = 100_000
    var residence: Int64 = 20_000
    var reverse: Int64 = 150_000
    /// The next reply's sequence number.
    var next: UInt32 = 0
    /// The SSID of replies; nil for the probe's.
    var ssid: UInt16?
    /// Whether replies report the transmit timestamps of earlier ones, and the receipt of earlier probes.
    var reportsTransmit = true
    var reportsReceipt = true
    /// The times from T3 to the driver's timestamp of a reply, and from T2 to the application's of a probe.
    static let driverTime: Int64 = 3000
    static let wakeTime: Int64 = 7000

    /// The transmit timestamps of all replies, and the receive timestamps of all probes, newest last.
    private(set) var sent: [TransmitStamps] = []
    private(set) var received: [ReceiveStamps] = []

    /// Restarts the peer's program: it counts from 0 and has another instance.
    mutating func restart() {
        instance += 1
        next = 0
        sent = []
        received = []
    }

    /// Answers a probe.
    ///
    /// - Parameter time: the time of its receipt, in CLOCK_REALTIME nanoseconds of this host.
    mutating func answer(_ probe: SentProbe, at time: Int64) -> ScriptedReply {
        let (t2, t3) = (time + offset, time + residence + offset)
        let sequence = kind == .stateless ? probe.sequence : next
        next &+= 1
        let receipt = ReceiveStamps(
            sequence: probe.sequence, times: ReceiveTimes(software: t2, app: t2 + Self.wakeTime))
        var context = ReplyContext(
            sequence: sequence, receiveNanoseconds: t2, transmitNanoseconds: t3, errorEstimate: estimate, ttl: 61,
            dscp: 0, ecn: 0)
        if kind == .paired || kind == .followUps, let last = sent.last, reportsTransmit, let time = last.times.software
        {
            context.followUp = FollowUp(
                sequence: last.sequence, timestamp: NTPTimestamp(unixNanoseconds: time).rawValue,
                method: TimestampingMethod.softwareLocal)
        }
        if kind == .paired {
            context.paired = PairedTimestamps(
                instance: instance, bootHash: bootHash, clockSteps: clockSteps,
                transmit0: reportsTransmit ? sent.last : nil,
                transmit1: reportsTransmit ? sent.dropLast().last : nil, receive0: receipt,
                receive1: reportsReceipt ? received.last : nil)
        }
        var bytes = [UInt8](repeating: 0, count: probe.bytes.count)
        write(to: probe, into: &bytes, context)
        if kind == .stateful || kind == .stateless { bytes.removeLast(bytes.count - STAMP.baseLength) }
        if let ssid { bytes.replaceSubrange(14..<16, with: [UInt8(ssid >> 8), UInt8(ssid & 0xFF)]) }
        sent.append(
            TransmitStamps(
                sequence: sequence, answered: probe.sequence,
                times: TransmitTimes(app: t3, software: t3 + Self.driverTime)))
        received.append(receipt)
        return ScriptedReply(sequence: sequence, probe: probe.sequence, bytes: bytes, received: t2, transmitted: t3)
    }

    private func write(to probe: SentProbe, into bytes: inout [UInt8], _ context: ReplyContext) {
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        precondition(writeReply(to: probe.bytes.span.bytes, into: &span, context: context) != nil)
    }
}
