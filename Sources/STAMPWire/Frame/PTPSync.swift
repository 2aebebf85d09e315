import NetworkAddresses

/// A PTP Sync that tells nobody anything: every NIC that timestamps PTP frames timestamps it, and clocks of its domain are not to be
/// expected. Source: IEEE 1588-2019, 13.3 and 13.6; a TLV behind it as in 14.1.
public struct PTPSync: Hashable, Sendable {
    /// Bytes of the message without TLVs.
    public static let length = 44
    static let tlvHeaderLength = 4
    /// From the range for experiments.
    static let tlvType: UInt16 = 0x2004
    /// A domain of PTP's that is left to users, the last one.
    public static let domain: UInt8 = 127

    /// Whose clock it names: its identity is the address, widened.
    public var source: MACAddress
    public var sequence: UInt16
    public var isUnicast: Bool
    /// Bytes of the value of a TLV behind it, whose header is written too; `nil` for none. A TLV's length is even.
    public var tlvLength: Int?

    public init(source: MACAddress, sequence: UInt16, isUnicast: Bool = false, tlvLength: Int? = nil) {
        self.source = source
        self.sequence = sequence
        self.isUnicast = isUnicast
        self.tlvLength = tlvLength
    }

    /// Writes the message from `offset` on.
    ///
    /// - Returns: false, and nothing written, where it or its TLV does not fit into `bytes` or into a length field.
    public func write(into bytes: inout MutableRawSpan, at offset: Int) -> Bool {
        let total = Self.length + (tlvLength.map { Self.tlvHeaderLength + $0 } ?? 0)
        guard total <= 65535, bytes.holds(total, at: offset) else { return false }
        // Message type 0, major SDO 0, version 2.0.
        bytes.store16(0x0002, at: offset)
        bytes.store16(UInt16(truncatingIfNeeded: total), at: offset + 2)
        bytes.store8(Self.domain, at: offset + 4)
        bytes.store8(0, at: offset + 5)
        bytes.store16(isUnicast ? 0x0400 : 0, at: offset + 6)
        // No correction, nothing of the message type's own.
        bytes.zero(offset + 8..<offset + 20)
        bytes.store64(source.eui64, at: offset + 20)
        bytes.store16(1, at: offset + 28)
        bytes.store16(sequence, at: offset + 30)
        // The control field of a Sync, no interval, no time of origin.
        bytes.store16(0x007F, at: offset + 32)
        bytes.zero(offset + 34..<offset + 44)
        if let tlvLength {
            bytes.store16(Self.tlvType, at: offset + Self.length)
            bytes.store16(UInt16(truncatingIfNeeded: tlvLength), at: offset + Self.length + 2)
        }
        return true
    }
}
