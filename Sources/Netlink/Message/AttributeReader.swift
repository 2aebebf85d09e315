import Addresses
import CLinux

/// A scanner over attributes that trusts no length. The first error stays, and ends the walk.
///
///     while reader.next() {
///         switch reader.type { … reader.integer(as: UInt32.self) … }
///     }
///     if let error = reader.error { throw error }
///
/// It looks into memory that it does not own, so it must not outlive the callback that it came with.
/// Source: netlink(7), struct nlattr in linux/netlink.h.
package struct AttributeReader {
    private var rest: UnsafeRawBufferPointer
    private let order: ByteOrder
    /// The current attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    package private(set) var type: UInt16 = 0
    /// Whether the current attribute says that it holds others. Older families do not say.
    package private(set) var isMarkedNested = false
    /// Whether the current attribute says that its integer is in the network's byte order.
    package private(set) var isMarkedNetworkOrder = false
    /// The current attribute's payload, without padding.
    package private(set) var payload: UnsafeRawBufferPointer
    package private(set) var error: NetlinkFormatError?

    /// - Parameter order: of integers that are not marked.
    package init(_ bytes: UnsafeRawBufferPointer, order: ByteOrder = .host) {
        rest = bytes
        payload = UnsafeRawBufferPointer(start: nil, count: 0)
        self.order = order
    }

    /// Goes to the next attribute; `false` at the end and after an error.
    package mutating func next() -> Bool {
        guard error == nil, !rest.isEmpty else { return false }
        guard rest.count >= 4 else { return fail(.cutAttributeHeader(bytes: rest.count)) }
        let length = Int(rest.loadUnaligned(as: UInt16.self))
        let marked = rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        type = marked & ~(UInt16(NLA_F_NESTED) | UInt16(NLA_F_NET_BYTEORDER))
        isMarkedNested = marked & UInt16(NLA_F_NESTED) != 0
        isMarkedNetworkOrder = marked & UInt16(NLA_F_NET_BYTEORDER) != 0
        guard length >= 4, length <= rest.count else {
            return fail(.attributeLength(type: type, length: length, available: rest.count))
        }
        payload = UnsafeRawBufferPointer(rebasing: rest[4..<length])
        // The last attribute may come without its padding.
        rest = UnsafeRawBufferPointer(rebasing: rest[min(netlinkAligned(length), rest.count)...])
        return true
    }

    /// The payload as an integer of exactly that size; `nil`, and an error that stays, for another size.
    package mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(as: Value.Type) -> Value? {
        guard let value = value(as: Value.self) else { return nil }
        return isMarkedNetworkOrder || order == .network ? Value(bigEndian: value) : value
    }

    /// The payload's first bytes as a plain C value (newer kernels lengthen structures); `nil`, and an error that
    /// stays, where there are too few.
    package mutating func structure<Value: BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payload.count >= MemoryLayout<Value>.size else { return failSize() }
        return payload.loadUnaligned(as: Value.self)
    }

    /// The payload as an IPv4 or IPv6 address, by its size.
    package mutating func address() -> IPAddress? {
        switch payload.count {
        case 4: .v4(UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self)))
        case 16: .v6(UInt128(bigEndian: payload.loadUnaligned(as: UInt128.self)))
        default: failSize()
        }
    }

    /// The payload as an Ethernet address; `nil` for other sizes, which other links have.
    package func macAddress() -> MACAddress? {
        guard payload.count == 6 else { return nil }
        return MACAddress(rawValue: payload.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The payload up to the first zero byte, repaired where it is not UTF-8.
    package func string() -> String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }

    /// Walks the attributes within the current one. Their error becomes this reader's.
    package mutating func nested(order: ByteOrder? = nil, _ body: (inout AttributeReader) -> Void) {
        var inner = AttributeReader(payload, order: order ?? self.order)
        body(&inner)
        if error == nil { error = inner.error }
    }

    /// Marks the current attribute's content as wrong, for rules that only the caller knows.
    package mutating func reject(_ reason: NetlinkFormatError) {
        if error == nil { error = reason }
    }

    private mutating func value<Value: BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payload.count == MemoryLayout<Value>.size else { return failSize() }
        return payload.loadUnaligned(as: Value.self)
    }

    private mutating func fail(_ reason: NetlinkFormatError) -> Bool {
        reject(reason)
        return false
    }

    private mutating func failSize<Value>() -> Value? {
        reject(.attributeSize(type: type, bytes: payload.count))
        return nil
    }
}
