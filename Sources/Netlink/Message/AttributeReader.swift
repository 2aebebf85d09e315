import Addresses
import CLinux

/// A scanner over attributes that trusts no length. The first error stays, and ends the walk.
///
///     while reader.next() {
///         switch reader.type { … reader.integer(as: UInt32.self) … }
///     }
///     if let error = reader.error { throw error }
///
/// It looks into memory that it does not own, so it must not outlive the datagram that it came with. Everything in it
/// can be inlined: a decoder in another module pays for its switch alone.
/// Source: netlink(7), struct nlattr in linux/netlink.h.
public struct AttributeReader {
    @usableFromInline var rest: UnsafeRawBufferPointer
    @usableFromInline let order: ByteOrder
    /// The type as it stands in the attribute, with its two marks.
    @usableFromInline var marked: UInt16 = 0
    /// The current attribute's payload, without padding.
    public var payload: UnsafeRawBufferPointer { current }
    @usableFromInline var current: UnsafeRawBufferPointer
    /// What was wrong first; nothing is read after it.
    public var error: NetlinkFormatError? { failure }
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
        rest = bytes
        current = UnsafeRawBufferPointer(start: nil, count: 0)
        self.order = order
    }

    /// Starts again with another message's attributes, errors forgotten.
    @inlinable
    public mutating func reset(to bytes: UnsafeRawBufferPointer) { self = AttributeReader(bytes, order: order) }

    /// Goes to the next attribute; `false` at the end and after an error.
    @inlinable
    public mutating func next() -> Bool {
        guard failure == nil, !rest.isEmpty else { return false }
        guard rest.count >= 4 else { return fail(.cutAttributeHeader(bytes: rest.count)) }
        let length = Int(rest.loadUnaligned(as: UInt16.self))
        marked = rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        guard length >= 4, length <= rest.count else {
            return fail(.attributeLength(type: type, length: length, available: rest.count))
        }
        current = UnsafeRawBufferPointer(rebasing: rest[4..<length])
        // The last attribute may come without its padding.
        rest = UnsafeRawBufferPointer(rebasing: rest[min(netlinkAligned(length), rest.count)...])
        return true
    }

    /// The payload as an integer of exactly that size; `nil`, and an error that stays, for another size.
    @inlinable
    public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(as: Value.Type) -> Value? {
        guard current.count == MemoryLayout<Value>.size else { return failSize() }
        let value = current.loadUnaligned(as: Value.self)
        return isMarkedNetworkOrder || order == .network ? Value(bigEndian: value) : value
    }

    /// The payload's first bytes as a plain C value (newer kernels lengthen structures); `nil`, and an error that
    /// stays, where there are too few.
    @inlinable
    public mutating func structure<Value: BitwiseCopyable>(as: Value.Type) -> Value? {
        guard current.count >= MemoryLayout<Value>.size else { return failSize() }
        return current.loadUnaligned(as: Value.self)
    }

    /// The payload as an IPv4 or IPv6 address, by its size.
    @inlinable
    public mutating func address() -> IPAddress? {
        switch current.count {
        case 4: .v4(UInt32(bigEndian: current.loadUnaligned(as: UInt32.self)))
        case 16: .v6(UInt128(bigEndian: current.loadUnaligned(as: UInt128.self)))
        default: failSize()
        }
    }

    /// The payload as an Ethernet address; `nil` for other sizes, which other links have.
    public func macAddress() -> MACAddress? {
        guard current.count == 6 else { return nil }
        return MACAddress(rawValue: current.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The payload up to the first zero byte, repaired where it is not UTF-8.
    public func string() -> String { String(decoding: current.prefix { $0 != 0 }, as: UTF8.self) }

    /// Walks the attributes within the current one, as a frame of its own. Their error becomes this reader's.
    @inlinable
    public mutating func nested(order: ByteOrder? = nil, _ body: (inout AttributeReader) -> Void) {
        var inner = AttributeReader(current, order: order ?? self.order)
        body(&inner)
        if failure == nil { failure = inner.failure }
    }

    /// Marks the current attribute's content as wrong, for rules that only the caller knows.
    @inlinable
    public mutating func reject(_ reason: NetlinkFormatError) {
        if failure == nil { failure = reason }
    }

    @usableFromInline
    mutating func fail(_ reason: NetlinkFormatError) -> Bool {
        reject(reason)
        return false
    }

    @inlinable
    mutating func failSize<Value>() -> Value? {
        reject(.attributeSize(type: type, bytes: current.count))
        return nil
    }
}
