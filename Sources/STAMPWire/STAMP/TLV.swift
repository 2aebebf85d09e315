/// STAMP TLV types: RFC 8972 section 5.1, and one from the experimental range (240 to 251).
public enum TLVType {
    public static let extraPadding: UInt8 = 1
    public static let location: UInt8 = 2
    public static let timestampInformation: UInt8 = 3
    public static let classOfService: UInt8 = 4
    public static let directMeasurement: UInt8 = 5
    public static let accessReport: UInt8 = 6
    public static let followUp: UInt8 = 7
    public static let hmac: UInt8 = 8
    /// ``PairedTimestamps``. Its value starts with a magic, because third parties may use the number too.
    public static let pairedTimestamps: UInt8 = 240
}

/// One extension after the base packet (RFC 8972 section 4): a byte of flags, a type, a 16-bit length, the value.
public struct TLV: Hashable, Sendable {
    public static let headerLength = 4

    /// U: set by the sender, cleared by a reflector that knows the type.
    public static let unrecognizedFlag: UInt8 = 0x80
    /// M: set by a reflector that finds the length invalid.
    public static let malformedFlag: UInt8 = 0x40
    /// I: set by a reflector that cannot verify the HMAC over the TLVs.
    public static let integrityFlag: UInt8 = 0x20

    public var flags: UInt8
    public var type: UInt8
    /// Offset of the flags byte in the packet.
    public var offset: Int
    /// Offsets of the value in the packet; they end with the packet if the length runs past it.
    public var value: Range<Int>
    /// True if the packet ends inside the TLV.
    public var isTruncated: Bool

    /// In a reply: the reflector does not know the type, so the value is the sender's. Skip it.
    public var isUnrecognized: Bool { flags & Self.unrecognizedFlag != 0 }
    /// True if M is set or the packet ends inside the TLV. Use nothing from here on.
    public var isMalformed: Bool { isTruncated || flags & Self.malformedFlag != 0 }
    /// In a reply: use none of the TLVs.
    public var hasFailedIntegrity: Bool { flags & Self.integrityFlag != 0 }
}

/// A walk over the TLVs of a packet. The packet's length bounds it: each step is at least four bytes, or the last.
struct TLVCursor {
    var offset: Int

    /// Returns the next TLV; nil at the end.
    ///
    /// Four zero bytes (or fewer, at the very end) are not a TLV but the padding of a TWAMP-Light packet: type 0 is
    /// reserved, and every sender of TLVs sets the U flag. They end the walk; otherwise a reflected packet would have U
    /// flags all over its padding.
    mutating func next(in packet: RawSpan) -> TLV? {
        let start = offset
        guard start >= 0, start < packet.byteCount, let flags = packet.u8(at: start) else { return nil }
        let end = packet.byteCount
        let type = packet.u8(at: start + 1) ?? 0
        guard let length = packet.u16(at: start + 2) else {
            offset = end
            if flags == 0, type == 0, packet.u8(at: start + 2) ?? 0 == 0 { return nil }
            return TLV(flags: flags, type: type, offset: start, value: end..<end, isTruncated: true)
        }
        if flags == 0, type == 0, length == 0 {
            offset = end
            return nil
        }
        let valueStart = start + TLV.headerLength
        let isTruncated = Int(length) > end - valueStart
        offset = isTruncated ? end : valueStart + Int(length)
        return TLV(flags: flags, type: type, offset: start, value: valueStart..<offset, isTruncated: isTruncated)
    }
}

/// Calls `body` for each TLV after the base packet, in order. A TLV whose length runs past the end, or a remainder too
/// short for a header, is reported once, as the last, with ``TLV/isTruncated`` set. A remainder of zeros is padding and
/// not reported.
///
/// In a reply (RFC 8972 section 4), skip a TLV that ``TLV/isUnrecognized``, stop at one that ``TLV/isMalformed``, and
/// use none of them if one ``TLV/hasFailedIntegrity``.
public func forEachTLV(in packet: RawSpan, from offset: Int = STAMP.baseLength, _ body: (TLV) -> Void) {
    var cursor = TLVCursor(offset: offset)
    while let tlv = cursor.next(in: packet) { body(tlv) }
}

extension MutableRawSpan {
    /// Writes a TLV's header. Returns false and writes nothing if it does not fit.
    @discardableResult
    mutating func storeTLVHeader(flags: UInt8, type: UInt8, length: Int, at offset: Int) -> Bool {
        guard holds(TLV.headerLength, at: offset), let length = UInt16(exactly: length) else { return false }
        store8(flags, at: offset)
        store8(type, at: offset + 1)
        return store16(length, at: offset + 2)
    }
}
