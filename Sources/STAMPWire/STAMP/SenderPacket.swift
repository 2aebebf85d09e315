/// The unauthenticated base packet of a Session-Sender: RFC 8762 section 4.2.1, with the SSID of RFC 8972 section 3.
public struct SenderPacket: Hashable, Sendable {
    public static let length = STAMP.baseLength

    /// The sequence number, from 0 in each session.
    public var sequence: UInt32
    /// T1 as on the wire, in the format that ``errorEstimate`` selects.
    public var timestamp: UInt64
    public var errorEstimate: ErrorEstimate
    /// The session identifier of RFC 8972; 0: no SSID.
    public var ssid: UInt16

    public init(sequence: UInt32, timestamp: UInt64, errorEstimate: ErrorEstimate, ssid: UInt16) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.errorEstimate = errorEstimate
        self.ssid = ssid
    }

    /// Creates a packet with T1 in Unix nanoseconds, encoded in the format that `errorEstimate` selects.
    public init(sequence: UInt32, timestampNanoseconds: Int64, errorEstimate: ErrorEstimate, ssid: UInt16) {
        self.init(
            sequence: sequence, timestamp: encodeTimestamp(timestampNanoseconds, isPTP: errorEstimate.isPTP),
            errorEstimate: errorEstimate, ssid: ssid)
    }

    /// Decodes the packet at the start of a UDP payload. It needs 14 bytes, as many as a TWAMP-Light sender without
    /// padding sends (RFC 8762 section 4.6); without the two bytes after them, the SSID is 0. Must-be-zero bytes are
    /// ignored.
    public init?(decoding packet: RawSpan) {
        guard let sequence = packet.u32(at: 0), let timestamp = packet.u64(at: 4), let estimate = packet.u16(at: 12)
        else { return nil }
        self.init(
            sequence: sequence, timestamp: timestamp, errorEstimate: ErrorEstimate(rawValue: estimate),
            ssid: packet.u16(at: 14) ?? 0)
    }

    /// Writes 44 bytes at the start of a UDP payload. Returns false and writes nothing if the payload is shorter.
    public func write(into packet: inout MutableRawSpan) -> Bool {
        guard packet.holds(Self.length, at: 0) else { return false }
        packet.store32(sequence, at: 0)
        packet.store64(timestamp, at: 4)
        packet.store16(errorEstimate.rawValue, at: 12)
        packet.store16(ssid, at: 14)
        return packet.zero(16..<44)
    }

    /// T1 in Unix nanoseconds of the sender's clock, in the era nearest to `pivot`; nil if the timestamp is invalid.
    public func timestampNanoseconds(near pivot: Int64) -> Int64? {
        decodeTimestamp(timestamp, isPTP: errorEstimate.isPTP, near: pivot)
    }
}
