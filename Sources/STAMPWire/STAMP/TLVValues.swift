/// The value of the Timestamp Information TLV (RFC 8972 section 4.3): the clock source and the method of the
/// reflector's T2 ("in") and T3 ("out"). The sender leaves it zero. See ``SynchronizationSource`` and
/// ``TimestampingMethod``.
public struct TimestampInformation: Hashable, Sendable {
    public static let valueLength = 4

    public var syncSourceIn: UInt8
    public var methodIn: UInt8
    public var syncSourceOut: UInt8
    public var methodOut: UInt8

    public init(syncSourceIn: UInt8, methodIn: UInt8, syncSourceOut: UInt8, methodOut: UInt8) {
        self.syncSourceIn = syncSourceIn
        self.methodIn = methodIn
        self.syncSourceOut = syncSourceOut
        self.methodOut = methodOut
    }

    /// Decodes the value; nil unless it has exactly four bytes.
    public init?(decoding value: RawSpan) {
        guard value.byteCount == Self.valueLength, let word = value.u32(at: 0) else { return nil }
        syncSourceIn = UInt8(truncatingIfNeeded: word >> 24)
        methodIn = UInt8(truncatingIfNeeded: word >> 16)
        syncSourceOut = UInt8(truncatingIfNeeded: word >> 8)
        methodOut = UInt8(truncatingIfNeeded: word)
    }

    /// Writes the value, without the TLV's header, at `offset`. Returns false if it does not fit.
    public func write(into packet: inout MutableRawSpan, at offset: Int) -> Bool {
        packet.store32(
            UInt32(syncSourceIn) << 24 | UInt32(methodIn) << 16 | UInt32(syncSourceOut) << 8 | UInt32(methodOut),
            at: offset)
    }
}

/// The value of the Class of Service TLV (RFC 8972 section 4.4, with erratum 8199): 6 bits DSCP1, 6 bits DSCP2, 2 bits
/// ECN, 2 bits RP, 16 bits reserved.
public struct ClassOfService: Hashable, Sendable {
    public static let valueLength = 4

    /// DSCP1: the DSCP that the sender requests for the reply.
    public var requestedDSCP: UInt8
    /// DSCP2: the DSCP of the probe as received by the reflector; zero in a probe.
    public var receivedDSCP: UInt8
    /// The ECN bits of the probe as received by the reflector; zero in a probe.
    public var receivedECN: UInt8
    /// RP: 0 if the reply has the requested DSCP; 1 if the reflector's policy rejects it and the reply has the received
    /// probe's DSCP. Zero in a probe.
    public var reversePath: UInt8

    public init(requestedDSCP: UInt8, receivedDSCP: UInt8 = 0, receivedECN: UInt8 = 0, reversePath: UInt8 = 0) {
        self.requestedDSCP = requestedDSCP
        self.receivedDSCP = receivedDSCP
        self.receivedECN = receivedECN
        self.reversePath = reversePath
    }

    /// Decodes the value; nil unless it has exactly four bytes. The reserved bits are ignored.
    public init?(decoding value: RawSpan) {
        guard value.byteCount == Self.valueLength, let bits = value.u16(at: 0) else { return nil }
        requestedDSCP = UInt8(truncatingIfNeeded: bits >> 10)
        receivedDSCP = UInt8(truncatingIfNeeded: bits >> 4) & 0x3F
        receivedECN = UInt8(truncatingIfNeeded: bits >> 2) & 3
        reversePath = UInt8(truncatingIfNeeded: bits) & 3
    }

    /// Writes the value, without the TLV's header, at `offset`. Returns false if it does not fit. Bits beyond a field's
    /// width are dropped.
    public func write(into packet: inout MutableRawSpan, at offset: Int) -> Bool {
        let bits =
            UInt32(requestedDSCP & 0x3F) << 26 | UInt32(receivedDSCP & 0x3F) << 20 | UInt32(receivedECN & 3) << 18
            | UInt32(reversePath & 3) << 16
        return packet.store32(bits, at: offset)
    }
}

/// The value of the Follow-Up Telemetry TLV (RFC 8972 section 4.7): the actual transmit time of an earlier reply. The
/// sender leaves it zero, and so does a reflector with nothing to report.
public struct FollowUp: Hashable, Sendable {
    public static let valueLength = 16

    /// The reflector's sequence number in the reply that the timestamp belongs to.
    public var sequence: UInt32
    /// The timestamp as on the wire; this project writes ``NTPTimestamp``.
    public var timestamp: UInt64
    /// The timestamping method; see ``TimestampingMethod``.
    public var method: UInt8

    public init(sequence: UInt32, timestamp: UInt64, method: UInt8) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.method = method
    }

    /// True if there is no timestamp: the reflector has nothing to report.
    public var isAbsent: Bool { timestamp == 0 }

    /// Converts the timestamp to nanoseconds since the Unix epoch. Its format is that of the packet's other timestamps,
    /// which the packet's error estimate selects; nil if it is invalid in that format.
    public func unixNanoseconds(isPTP: Bool, near pivot: Int64) -> Int64? {
        decodeTimestamp(timestamp, isPTP: isPTP, near: pivot)
    }

    /// Decodes the value; nil unless it has exactly 16 bytes. The reserved bytes are ignored.
    public init?(decoding value: RawSpan) {
        guard value.byteCount == Self.valueLength, let sequence = value.u32(at: 0), let timestamp = value.u64(at: 4),
            let method = value.u8(at: 12)
        else { return nil }
        self.init(sequence: sequence, timestamp: timestamp, method: method)
    }

    /// Writes the value, without the TLV's header, at `offset`. Returns false and writes nothing if it does not fit.
    public func write(into packet: inout MutableRawSpan, at offset: Int) -> Bool {
        guard packet.holds(Self.valueLength, at: offset) else { return false }
        packet.store32(sequence, at: offset)
        packet.store64(timestamp, at: offset + 4)
        return packet.store32(UInt32(method) << 24, at: offset + 12)
    }
}
