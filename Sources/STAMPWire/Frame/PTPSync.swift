import NetworkAddresses

/// A PTP Sync without timing information. Every NIC that timestamps PTP frames timestamps it, and no clock is expected
/// in its domain. Source: IEEE 1588-2019, 13.3 and 13.6; 14.1 for the TLV after it.
public struct PTPSync: Hashable, Sendable {
    /// Message length in bytes, without TLVs.
    public static let length = 44
    static let tlvHeaderLength = 4
    /// A TLV type from the experimental range.
    static let tlvType: UInt16 = 0x2004
    /// The last of the PTP domains left to users.
    public static let domain: UInt8 = 127

    /// The MAC address that forms the clock identity, as EUI-64.
    public var source: MACAddress
    public var sequence: UInt16
    public var isUnicast: Bool
    /// Value length in bytes of a TLV after the message, which must be even; its header is written too. `nil`: no TLV.
    public var tlvLength: Int?

    public init(source: MACAddress, sequence: UInt16, isUnicast: Bool = false, tlvLength: Int? = nil) {
        self.source = source
        self.sequence = sequence
        self.isUnicast = isUnicast
        self.tlvLength = tlvLength
    }

    /// Writes the message at `offset`.
    ///
    /// - Returns: false, with nothing written, if the message or its TLV does not fit into `bytes` or a length field.
    public func write(into bytes: inout MutableRawSpan, at offset: Int) -> Bool {
        let total = Self.length + (tlvLength.map { Self.tlvHeaderLength + $0 } ?? 0)
        guard total <= 65535, bytes.holds(total, at: offset) else { return false }
        // messageType 0 (Sync), majorSdoId 0, version 2.0.
        bytes.store16(0x0002, at: offset)
        bytes.store16(UInt16(truncatingIfNeeded: total), at: offset + 2)
        bytes.store8(Self.domain, at: offset + 4)
        bytes.store8(0, at: offset + 5)
        bytes.store16(isUnicast ? 0x0400 : 0, at: offset + 6)
        // correctionField and messageTypeSpecific: 0.
        bytes.zero(offset + 8..<offset + 20)
        bytes.store64(source.eui64, at: offset + 20)
        bytes.store16(1, at: offset + 28)
        bytes.store16(sequence, at: offset + 30)
        // controlField 0 (Sync), logMessageInterval 0x7F, originTimestamp 0.
        bytes.store16(0x007F, at: offset + 32)
        bytes.zero(offset + 34..<offset + 44)
        if let tlvLength {
            bytes.store16(Self.tlvType, at: offset + Self.length)
            bytes.store16(UInt16(truncatingIfNeeded: tlvLength), at: offset + Self.length + 2)
        }
        return true
    }
}
