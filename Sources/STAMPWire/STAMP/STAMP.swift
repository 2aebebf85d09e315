/// The Simple Two-way Active Measurement Protocol, unauthenticated: RFC 8762, with the TLVs of RFC 8972.
///
/// The parts, from the inside out:
/// - ``NTPTimestamp``, ``PTPTimestamp`` and ``ErrorEstimate``: the numbers that packets carry.
/// - ``SenderPacket`` and ``ReflectorPacket``: the 44-byte base packets of both directions.
/// - ``TLV`` and ``forEachTLV(in:from:_:)``: the extensions after them; ``TimestampInformation``, ``ClassOfService``,
///   ``FollowUp`` and the experimental ``PairedTimestamps``: their values.
/// - ``ProbeLayout``: the offsets in a probe of a given size.
/// - ``writeReply(to:into:context:)``: a Session-Reflector's complete answer to one probe.
///
/// The module converts between bytes and values; it uses no sockets and no clocks. Timestamps are nanoseconds since the
/// Unix epoch, by the clock of the host that took them: CLOCK_REALTIME unless stated otherwise.
public enum STAMP {
    /// The reflector's UDP port (RFC 8762 section 4.1), inherited from TWAMP-Test.
    public static let port: UInt16 = 862
    /// Length of both unauthenticated base packets, and the offset of the first TLV.
    public static let baseLength = 44
}

/// Values of the synchronization-source fields (RFC 8972 section 4.3, IANA "STAMP Synchronization Sources").
public enum SynchronizationSource {
    public static let ntp: UInt8 = 1
    public static let ptp: UInt8 = 2
    /// SSU or BITS, telecom clock supplies.
    public static let ssu: UInt8 = 3
    /// GPS, GLONASS, LORAN-C, BDS or Galileo.
    public static let gnss: UInt8 = 4
    public static let localFreeRunning: UInt8 = 5
}

/// Values of the timestamping-method fields (RFC 8972 section 4.3, IANA "STAMP Timestamping Methods").
public enum TimestampingMethod {
    public static let hardwareAssist: UInt8 = 1
    public static let softwareLocal: UInt8 = 2
    public static let controlPlane: UInt8 = 3
}
