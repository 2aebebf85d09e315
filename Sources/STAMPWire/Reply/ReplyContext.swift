/// A Session-Reflector's input for one reply.
public struct ReplyContext: Hashable, Sendable {
    /// The reply's sequence number: counted per session by a stateful reflector, copied from the probe by a stateless
    /// one.
    public var sequence: UInt32
    /// T2 in CLOCK_REALTIME Unix nanoseconds.
    public var receiveNanoseconds: Int64
    /// T3 in CLOCK_REALTIME Unix nanoseconds.
    public var transmitNanoseconds: Int64
    /// The error estimate of T2 and T3. Its Z bit selects their format.
    public var errorEstimate: ErrorEstimate
    /// TTL or hop limit of the received probe.
    public var ttl: UInt8
    /// DSCP of the received probe.
    public var dscp: UInt8
    /// ECN bits of the received probe.
    public var ecn: UInt8
    /// True if local policy lets a probe choose the DSCP of its reply (RFC 8972 section 4.4).
    public var permitsRequestedDSCP: Bool
    /// The value for a Follow-Up Telemetry TLV; nil: zeros.
    public var followUp: FollowUp?
    /// The source of clock synchronization; see ``SynchronizationSource``.
    public var syncSource: UInt8
    /// The timestamping method of T2; see ``TimestampingMethod``.
    public var receiveMethod: UInt8
    /// The timestamping method of T3; see ``TimestampingMethod``.
    public var transmitMethod: UInt8
    /// The value for a paired-timestamps TLV; nil: the TLV is handled as one of an unknown type.
    public var paired: PairedTimestamps?

    public init(
        sequence: UInt32, receiveNanoseconds: Int64, transmitNanoseconds: Int64, errorEstimate: ErrorEstimate,
        ttl: UInt8, dscp: UInt8, ecn: UInt8, permitsRequestedDSCP: Bool = false, followUp: FollowUp? = nil,
        syncSource: UInt8 = SynchronizationSource.localFreeRunning,
        receiveMethod: UInt8 = TimestampingMethod.softwareLocal,
        transmitMethod: UInt8 = TimestampingMethod.softwareLocal, paired: PairedTimestamps? = nil
    ) {
        self.sequence = sequence
        self.receiveNanoseconds = receiveNanoseconds
        self.transmitNanoseconds = transmitNanoseconds
        self.errorEstimate = errorEstimate
        self.ttl = ttl
        self.dscp = dscp
        self.ecn = ecn
        self.permitsRequestedDSCP = permitsRequestedDSCP
        self.followUp = followUp
        self.syncSource = syncSource
        self.receiveMethod = receiveMethod
        self.transmitMethod = transmitMethod
        self.paired = paired
    }
}

/// The result of answering one probe.
public struct ReplyResult: Hashable, Sendable {
    /// Length of the reply in bytes: the probe's, at least 44.
    public var length: Int
    /// The DSCP for the reply: the one that a Class of Service TLV requests, if permitted; otherwise the received
    /// probe's.
    public var replyDSCP: UInt8
    /// The probe's paired timestamps, answered or not.
    public var probePaired: PairedTimestamps?

    public init(length: Int, replyDSCP: UInt8, probePaired: PairedTimestamps? = nil) {
        self.length = length
        self.replyDSCP = replyDSCP
        self.probePaired = probePaired
    }
}
