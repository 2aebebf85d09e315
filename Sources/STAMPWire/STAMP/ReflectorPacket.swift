/// The unauthenticated base packet of a Session-Reflector: RFC 8762 section 4.3.1, with the SSID of RFC 8972
/// section 3.
public struct ReflectorPacket: Hashable, Sendable {
    public static let length = STAMP.baseLength

    /// The reflector's count if it is stateful, otherwise a copy of ``senderSequence``.
    public var sequence: UInt32
    /// T3 as on the wire, in the format that ``errorEstimate`` selects.
    public var transmitTimestamp: UInt64
    /// The error estimate of T2 and T3.
    public var errorEstimate: ErrorEstimate
    /// A copy of the probe's SSID; 0 also from a reflector without SSIDs.
    public var ssid: UInt16
    /// T2 as on the wire, in the format that ``errorEstimate`` selects.
    public var receiveTimestamp: UInt64
    public var senderSequence: UInt32
    /// T1 as in the probe, in the format that ``senderErrorEstimate`` selects.
    public var senderTimestamp: UInt64
    public var senderErrorEstimate: ErrorEstimate
    /// TTL or hop limit of the probe as received; nil in replies too short to carry it.
    public var senderTTL: UInt8?

    public init(
        sequence: UInt32, transmitTimestamp: UInt64, errorEstimate: ErrorEstimate, ssid: UInt16,
        receiveTimestamp: UInt64, senderSequence: UInt32, senderTimestamp: UInt64,
        senderErrorEstimate: ErrorEstimate, senderTTL: UInt8?
    ) {
        self.sequence = sequence
        self.transmitTimestamp = transmitTimestamp
        self.errorEstimate = errorEstimate
        self.ssid = ssid
        self.receiveTimestamp = receiveTimestamp
        self.senderSequence = senderSequence
        self.senderTimestamp = senderTimestamp
        self.senderErrorEstimate = senderErrorEstimate
        self.senderTTL = senderTTL
    }

    /// Decodes the packet at the start of a UDP payload. It needs 38 bytes, up to the sender's error estimate:
    /// TWAMP-Light reflectors reply with 38 to 41 (RFC 5357 section 4.2.1), the last of which is the TTL.
    public init?(decoding packet: RawSpan) {
        guard let sequence = packet.u32(at: 0), let transmitTimestamp = packet.u64(at: 4),
            let estimate = packet.u16(at: 12), let ssid = packet.u16(at: 14),
            let receiveTimestamp = packet.u64(at: 16), let senderSequence = packet.u32(at: 24),
            let senderTimestamp = packet.u64(at: 28), let senderEstimate = packet.u16(at: 36)
        else { return nil }
        self.init(
            sequence: sequence, transmitTimestamp: transmitTimestamp, errorEstimate: ErrorEstimate(rawValue: estimate),
            ssid: ssid, receiveTimestamp: receiveTimestamp, senderSequence: senderSequence,
            senderTimestamp: senderTimestamp, senderErrorEstimate: ErrorEstimate(rawValue: senderEstimate),
            senderTTL: packet.u8(at: 40))
    }

    /// Writes 44 bytes at the start of a UDP payload, an absent TTL as 0. Returns false and writes nothing if the
    /// payload is shorter.
    public func write(into packet: inout MutableRawSpan) -> Bool {
        guard packet.holds(Self.length, at: 0) else { return false }
        packet.store32(sequence, at: 0)
        packet.store64(transmitTimestamp, at: 4)
        packet.store16(errorEstimate.rawValue, at: 12)
        packet.store16(ssid, at: 14)
        packet.store64(receiveTimestamp, at: 16)
        packet.store32(senderSequence, at: 24)
        packet.store64(senderTimestamp, at: 28)
        packet.store16(senderErrorEstimate.rawValue, at: 36)
        packet.store16(0, at: 38)
        packet.store8(senderTTL ?? 0, at: 40)
        return packet.zero(41..<44)
    }

    /// T3 in Unix nanoseconds of the reflector's clock, in the era nearest to `pivot`; nil if the timestamp is invalid.
    public func transmitNanoseconds(near pivot: Int64) -> Int64? {
        decodeTimestamp(transmitTimestamp, isPTP: errorEstimate.isPTP, near: pivot)
    }

    /// T2 in Unix nanoseconds of the reflector's clock, in the era nearest to `pivot`; nil if the timestamp is invalid.
    public func receiveNanoseconds(near pivot: Int64) -> Int64? {
        decodeTimestamp(receiveTimestamp, isPTP: errorEstimate.isPTP, near: pivot)
    }

    /// T1 in Unix nanoseconds of the sender's clock, in the era nearest to `pivot`; nil if the timestamp is invalid.
    public func senderNanoseconds(near pivot: Int64) -> Int64? {
        decodeTimestamp(senderTimestamp, isPTP: senderErrorEstimate.isPTP, near: pivot)
    }
}
