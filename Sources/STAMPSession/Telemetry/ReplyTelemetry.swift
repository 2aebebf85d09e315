import STAMPWire

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
