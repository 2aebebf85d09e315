import Addresses
import CLinux

/// A scanner over attributes that trusts no length. The first error stays, and ends the walk.
///
///     while reader.next() {
///         switch reader.type { … reader.integer(as: UInt32.self) … }
///     }
///     if let error = reader.error { throw error }
///
/// It looks into memory that it does not own, so it must not outlive the datagram that it came with. A decoder in
/// another module pays for its switch alone: what it calls for each attribute is inlined, always, or the scanner could not
/// stay in registers.
/// Source: netlink(7), struct nlattr in linux/netlink.h.
public struct AttributeReader {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline let order: ByteOrder
    /// The type as it stands in the attribute, with its two marks.
    @usableFromInline var marked: UInt16 = 0
    /// The current attribute's payload, without padding.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Range(uncheckedBounds: (payloadStart, payloadStart &+ payloadLength))])
    }
    /// Where the payload begins, and its length. The next attribute's place follows from them only when it is asked for:
    /// behind a check of the length it is then known before the length was read.
    @usableFromInline var payloadStart = 0
    @usableFromInline var payloadLength = 0
    /// What was wrong first; nothing is read after it.
    @inlinable public var error: NetlinkFormatError? { failure }
    @usableFromInline var failure: NetlinkFormatError?

    /// The current attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    @inlinable public var type: UInt16 { marked & 0x3FFF }
    /// Whether the current attribute says that it holds others (NLA_F_NESTED). Older families do not say.
    @inlinable public var isMarkedNested: Bool { marked & 0x8000 != 0 }
    /// Whether the current attribute says that its integer is in the network's byte order (NLA_F_NET_BYTEORDER).
    @inlinable public var isMarkedNetworkOrder: Bool { marked & 0x4000 != 0 }

    /// - Parameter order: of integers that are not marked.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, order: ByteOrder = .host) {
        self.bytes = bytes
        self.order = order
    }

    /// Starts again with another message's attributes, errors forgotten.
    @inlinable
    public mutating func reset(to bytes: UnsafeRawBufferPointer) { self = AttributeReader(bytes, order: order) }

    /// Goes to the next attribute; `false` at the end and after an error.
    @inlinable @inline(__always)
    public mutating func next() -> Bool {
        // The last attribute may come without its padding.
        let next = payloadStart &+ netlinkAligned(payloadLength)
        guard failure == nil, next < bytes.count else { return false }
        let available = bytes.count &- next
        guard available >= 4 else { return fail(.cutAttributeHeader(bytes: available)) }
        let length = Int(bytes.loadUnaligned(fromByteOffset: next, as: UInt16.self))
        marked = bytes.loadUnaligned(fromByteOffset: next &+ 2, as: UInt16.self)
        guard length >= 4, length <= available else {
            return fail(.attributeLength(type: type, length: length, available: available))
        }
        payloadStart = next &+ 4
        payloadLength = length &- 4
        return true
    }

    /// The payload as an integer of exactly that size; `nil`, and an error that stays, for another size.
    @inlinable @inline(__always)
    public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payloadLength == MemoryLayout<Value>.size else { return failSize() }
        let value = bytes.loadUnaligned(fromByteOffset: payloadStart, as: Value.self)
        return isMarkedNetworkOrder || order == .network ? Value(bigEndian: value) : value
    }

    /// The payload's first bytes as a plain C value (newer kernels lengthen structures); `nil`, and an error that
    /// stays, where there are too few.
    @inlinable
    public mutating func structure<Value: BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payloadLength >= MemoryLayout<Value>.size else { return failSize() }
        return bytes.loadUnaligned(fromByteOffset: payloadStart, as: Value.self)
    }

    /// The payload as an IPv4 or IPv6 address, by its size.
    @inlinable
    public mutating func address() -> IPAddress? {
        switch payloadLength {
        case 4: .v4(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: payloadStart, as: UInt32.self)))
        case 16: .v6(UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: payloadStart, as: UInt128.self)))
        default: failSize()
        }
    }

    /// The payload as an Ethernet address; `nil` for other sizes, which other links have.
    public func macAddress() -> MACAddress? {
        guard payloadLength == 6 else { return nil }
        return MACAddress(rawValue: payload.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The payload up to the first zero byte, repaired where it is not UTF-8.
    public func string() -> String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }

    /// Walks the attributes within the current one, as a frame of its own. Their error becomes this reader's.
    @inlinable
    public mutating func nested(order: ByteOrder? = nil, _ body: (inout AttributeReader) -> Void) {
        var inner = AttributeReader(payload, order: order ?? self.order)
        body(&inner)
        if failure == nil { failure = inner.failure }
    }

    /// Marks the current attribute's content as wrong, for rules that only the caller knows.
    @inlinable @inline(__always)
    public mutating func reject(_ reason: NetlinkFormatError) {
        if failure == nil { failure = reason }
    }

    @inlinable @inline(__always)
    mutating func fail(_ reason: NetlinkFormatError) -> Bool {
        reject(reason)
        return false
    }

    @inlinable @inline(__always)
    mutating func failSize<Value>() -> Value? {
        reject(.attributeSize(type: type, bytes: payloadLength))
        return nil
    }
}
