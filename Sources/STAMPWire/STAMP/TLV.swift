/// Types of STAMP TLVs: RFC 8972 section 5.1, and one of the range for experiments (240 to 251).
public enum TLVType {
    public static let extraPadding: UInt8 = 1
    public static let location: UInt8 = 2
    public static let timestampInformation: UInt8 = 3
    public static let classOfService: UInt8 = 4
    public static let directMeasurement: UInt8 = 5
    public static let accessReport: UInt8 = 6
    public static let followUp: UInt8 = 7
    public static let hmac: UInt8 = 8
    /// ``PairedStamps``. Others may use the number for something else: the value starts with a magic.
    public static let pairedStamps: UInt8 = 240
}

/// One extension after the base packet (RFC 8972 section 4): a byte of flags, a type, a 16-bit length, the value.
public struct TLV: Hashable, Sendable {
    public static let headerLength = 4

    /// U: set by the sender, cleared by a reflector that knows the type.
    public static let unrecognizedFlag: UInt8 = 0x80
    /// M: set by a reflector that found the length invalid.
    public static let malformedFlag: UInt8 = 0x40
    /// I: set by a reflector that could not verify the HMAC over the TLVs.
    public static let integrityFlag: UInt8 = 0x20

    public var flags: UInt8
    public var type: UInt8
    /// Of the flags byte, from the start of the packet.
    public var offset: Int
    /// Offsets of the value in the packet; cut off at the packet's end if the length runs past it.
    public var value: Range<Int>
    /// Whether the packet ends inside of the TLV.
    public var isTruncated: Bool

    /// In a reply: the reflector did not know the type, so the value is the sender's own and to be skipped.
    public var isUnrecognized: Bool { flags & Self.unrecognizedFlag != 0 }
    /// The flag is set, or the packet ends inside of the TLV: nothing from here on is to be used.
    public var isMalformed: Bool { isTruncated || flags & Self.malformedFlag != 0 }
    /// In a reply: none of the TLVs is to be used.
    public var hasFailedIntegrity: Bool { flags & Self.integrityFlag != 0 }
}

/// Walks the TLVs of a packet. Bounded by its length: each step is at least four bytes, or the last.
struct TLVCursor {
    var offset: Int

    /// The next TLV, nil at the end.
    ///
    /// Four zero bytes (or fewer, at the very end) are not a TLV but the padding of a TWAMP-Light packet: type 0 is
    /// reserved, and every sender of TLVs sets the U flag. They end the walk, else reflecting such a packet would
    /// scatter U flags over its padding.
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

/// Calls `body` for each TLV after the base packet, in order. A TLV whose length runs past the end is reported once,
/// with ``TLV/isTruncated``, and is the last; so is a rest that is too short for a header. A rest of zeros is padding
/// and not reported.
///
/// RFC 8972 section 4 on what to use of a reply: skip a TLV that ``TLV/isUnrecognized``, stop at one that
/// ``TLV/isMalformed``, use none of them if one ``TLV/hasFailedIntegrity``.
public func forEachTLV(in packet: RawSpan, from offset: Int = STAMP.baseLength, _ body: (TLV) -> Void) {
    var cursor = TLVCursor(offset: offset)
    while let tlv = cursor.next(in: packet) { body(tlv) }
}

extension MutableRawSpan {
    /// Writes a TLV's header; false, and nothing written, where it does not fit.
    @discardableResult
    mutating func storeTLVHeader(flags: UInt8, type: UInt8, length: Int, at offset: Int) -> Bool {
        guard holds(TLV.headerLength, at: offset), let length = UInt16(exactly: length) else { return false }
        store8(flags, at: offset)
        store8(type, at: offset + 1)
        return store16(length, at: offset + 2)
    }
}
