/// Writes the reply to one probe, as RFC 8762 section 4.3 and RFC 8972 section 4 require of an unauthenticated
/// Session-Reflector.
///
/// - The reply has the probe's length. A probe shorter than the base packet gets the base packet; its missing bytes
///   count as zero (RFC 8762 section 4.6).
/// - TLVs of known types are answered with all flags clear; others are copied with U set.
/// - At the first malformed TLV (RFC 8972 section 4: it runs past the end, or its type is known and its length wrong),
///   M is set and processing stops; the rest is copied unchanged. A malformed Follow-Up Telemetry TLV is also zeroed
///   (section 4.7 with erratum 8339).
/// - An HMAC TLV cannot be verified, because there is no key. Section 4.8 makes that a failure: no TLV is used, and all
///   are copied with I set.
/// - Class of Service (section 4.4): if its DSCP1 is permitted, the reply has that DSCP and RP is 0; otherwise the
///   reply has the probe's DSCP and RP is 1. The first of several such TLVs decides. Without one, the reply has the
///   probe's DSCP.
/// - A type 240 TLV without the length, magic, version and counts of ``PairedTimestamps`` is a third-party experiment,
///   not a malformed TLV: it is copied with U set.
///
/// - Parameters:
///   - probe: the UDP payload as received.
///   - reply: at least as long as the probe and the base packet. Its contents are ignored; bytes after the reply are
///     left unchanged.
/// - Returns: nil, with nothing written, if the probe is too short to be STAMP (under 14 bytes) or `reply` is too
///   short.
public func writeReply(to probe: RawSpan, into reply: inout MutableRawSpan, context: ReplyContext) -> ReplyResult? {
    let length = max(probe.byteCount, STAMP.baseLength)
    guard let sender = SenderPacket(decoding: probe), reply.holds(length, at: 0) else { return nil }
    let isPTP = context.errorEstimate.isPTP
    let base = ReflectorPacket(
        sequence: context.sequence, transmitTimestamp: encodeTimestamp(context.transmitNanoseconds, isPTP: isPTP),
        errorEstimate: context.errorEstimate, ssid: sender.ssid,
        receiveTimestamp: encodeTimestamp(context.receiveNanoseconds, isPTP: isPTP),
        senderSequence: sender.sequence, senderTimestamp: sender.timestamp,
        senderErrorEstimate: sender.errorEstimate, senderTTL: context.ttl)
    guard base.write(into: &reply) else { return nil }
    var result = ReplyResult(length: length, replyDSCP: context.dscp & 0x3F, probePaired: nil)
    guard probe.byteCount > STAMP.baseLength, reply.copy(STAMP.baseLength..<length, from: probe) else {
        return result
    }
    if hasHMAC(probe) {
        markIntegrityFailure(of: probe, in: &reply, context: context)
    } else {
        answerTLVs(of: probe, in: &reply, context: context, result: &result)
    }
    return result
}

/// A reflector's decision about one TLV, before its value is answered.
private enum Disposition {
    case answer, unrecognized, malformed
}

private func disposition(of tlv: TLV, in probe: RawSpan, context: ReplyContext) -> Disposition {
    let expected: Int
    switch tlv.type {
    case TLVType.extraPadding: expected = tlv.value.count
    case TLVType.timestampInformation: expected = TimestampInformation.valueLength
    case TLVType.classOfService: expected = ClassOfService.valueLength
    case TLVType.followUp: expected = FollowUp.valueLength
    case TLVType.hmac: expected = 16
    case TLVType.pairedTimestamps:
        if tlv.isTruncated { return .malformed }
        let isPaired = PairedTimestamps.isPresent(in: probe.extracting(tlv.value))
        return isPaired && context.paired != nil ? .answer : .unrecognized
    default: return tlv.isTruncated ? .malformed : .unrecognized
    }
    return tlv.isTruncated || tlv.value.count != expected ? .malformed : .answer
}

/// Returns whether this reflector knows the type. U must then be clear even on a TLV that it cannot use.
private func isKnown(_ type: UInt8, context: ReplyContext) -> Bool {
    switch type {
    case TLVType.extraPadding, TLVType.timestampInformation, TLVType.classOfService, TLVType.followUp, TLVType.hmac:
        true
    case TLVType.pairedTimestamps: context.paired != nil
    default: false
    }
}

private func answerTLVs(
    of probe: RawSpan, in reply: inout MutableRawSpan, context: ReplyContext, result: inout ReplyResult
) {
    var cursor = TLVCursor(offset: STAMP.baseLength)
    var hasClassOfService = false
    while let tlv = cursor.next(in: probe) {
        if tlv.type == TLVType.pairedTimestamps, result.probePaired == nil {
            result.probePaired = PairedTimestamps(decoding: probe.extracting(tlv.value))
        }
        switch disposition(of: tlv, in: probe, context: context) {
        case .malformed:
            let unrecognized = isKnown(tlv.type, context: context) ? 0 : TLV.unrecognizedFlag
            reply.store8(TLV.malformedFlag | unrecognized, at: tlv.offset)
            if tlv.type == TLVType.followUp {
                reply.zero(tlv.value.lowerBound..<min(tlv.value.upperBound, tlv.value.lowerBound + 12))
            }
            return
        case .unrecognized:
            reply.store8(TLV.unrecognizedFlag, at: tlv.offset)
        case .answer:
            reply.store8(0, at: tlv.offset)
            if tlv.type == TLVType.classOfService {
                let dscp = answerClassOfService(tlv, of: probe, in: &reply, context: context)
                if !hasClassOfService { result.replyDSCP = dscp }
                hasClassOfService = true
            } else {
                answer(tlv, in: &reply, context: context)
            }
        }
    }
}

private func answer(_ tlv: TLV, in reply: inout MutableRawSpan, context: ReplyContext) {
    let offset = tlv.value.lowerBound
    switch tlv.type {
    case TLVType.timestampInformation:
        _ = TimestampInformation(
            syncSourceIn: context.syncSource, methodIn: context.receiveMethod, syncSourceOut: context.syncSource,
            methodOut: context.transmitMethod
        ).write(into: &reply, at: offset)
    case TLVType.followUp:
        let followUp = context.followUp ?? FollowUp(sequence: 0, timestamp: 0, method: 0)
        _ = followUp.write(into: &reply, at: offset)
    case TLVType.pairedTimestamps: _ = context.paired?.write(into: &reply, at: offset)
    default: break
    }
}

/// Answers a Class of Service TLV and returns the DSCP for the reply.
private func answerClassOfService(
    _ tlv: TLV, of probe: RawSpan, in reply: inout MutableRawSpan, context: ReplyContext
) -> UInt8 {
    guard var value = ClassOfService(decoding: probe.extracting(tlv.value)) else { return context.dscp & 0x3F }
    value.receivedDSCP = context.dscp
    value.receivedECN = context.ecn
    value.reversePath = context.permitsRequestedDSCP ? 0 : 1
    _ = value.write(into: &reply, at: tlv.value.lowerBound)
    return context.permitsRequestedDSCP ? value.requestedDSCP : context.dscp & 0x3F
}

private func hasHMAC(_ probe: RawSpan) -> Bool {
    var cursor = TLVCursor(offset: STAMP.baseLength)
    while let tlv = cursor.next(in: probe) {
        if tlv.type == TLVType.hmac { return true }
    }
    return false
}

private func markIntegrityFailure(of probe: RawSpan, in reply: inout MutableRawSpan, context: ReplyContext) {
    var cursor = TLVCursor(offset: STAMP.baseLength)
    while let tlv = cursor.next(in: probe) {
        var flags = TLV.integrityFlag
        switch disposition(of: tlv, in: probe, context: context) {
        case .answer: break
        case .unrecognized: flags |= TLV.unrecognizedFlag
        case .malformed: flags |= TLV.malformedFlag | (isKnown(tlv.type, context: context) ? 0 : TLV.unrecognizedFlag)
        }
        reply.store8(flags, at: tlv.offset)
    }
}
