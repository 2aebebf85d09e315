/// What a Session-Reflector knows when it answers one probe.
public struct ReplyContext: Hashable, Sendable {
    /// The reply's own: counted per session by a stateful reflector, copied from the probe by a stateless one.
    public var sequence: UInt32
    /// T2, Unix nanoseconds of CLOCK_REALTIME.
    public var receiveNanoseconds: Int64
    /// T3, Unix nanoseconds of CLOCK_REALTIME.
    public var transmitNanoseconds: Int64
    /// Of T2 and T3; they are written in the format that its Z bit names.
    public var errorEstimate: ErrorEstimate
    /// TTL or hop limit with which the probe arrived.
    public var ttl: UInt8
    /// DSCP with which the probe arrived.
    public var dscp: UInt8
    /// ECN bits with which the probe arrived.
    public var ecn: UInt8
    /// Whether local policy lets a probe choose the DSCP of its reply (RFC 8972 section 4.4).
    public var permitsRequestedDSCP: Bool
    /// What to put into a Follow-Up Telemetry TLV; nil: zeros.
    public var followUp: FollowUp?
    /// See ``SynchronizationSource``.
    public var syncSource: UInt8
    /// How T2 was taken; see ``TimestampingMethod``.
    public var receiveMethod: UInt8
    /// How T3 was taken; see ``TimestampingMethod``.
    public var transmitMethod: UInt8
    /// What to put into a ``PairedStamps`` TLV; nil: answer it like one of an unknown type.
    public var paired: PairedStamps?

    public init(
        sequence: UInt32, receiveNanoseconds: Int64, transmitNanoseconds: Int64, errorEstimate: ErrorEstimate,
        ttl: UInt8, dscp: UInt8, ecn: UInt8, permitsRequestedDSCP: Bool = false, followUp: FollowUp? = nil,
        syncSource: UInt8 = SynchronizationSource.localFreeRunning,
        receiveMethod: UInt8 = TimestampingMethod.softwareLocal,
        transmitMethod: UInt8 = TimestampingMethod.softwareLocal, paired: PairedStamps? = nil
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

/// What came of answering one probe.
public struct ReplyResult: Hashable, Sendable {
    /// Bytes of the reply: those of the probe, at least 44.
    public var length: Int
    /// What to send the reply with: what a Class of Service TLV asked for, if that is permitted, else the DSCP with
    /// which the probe arrived.
    public var replyDSCP: UInt8
    /// The probe's own ``PairedStamps``, whether or not they were answered.
    public var probePaired: PairedStamps?

    public init(length: Int, replyDSCP: UInt8, probePaired: PairedStamps? = nil) {
        self.length = length
        self.replyDSCP = replyDSCP
        self.probePaired = probePaired
    }
}
