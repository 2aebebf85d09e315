import CLinux
import NetworkAddresses

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
    /// What was wrong first, and where: 0 for nothing, otherwise the place above the kind's two bits. In one word, so that
    /// a decoder carries no more than that from attribute to attribute.
    @usableFromInline var fault = 0
    /// What the caller found wrong first.
    @usableFromInline var reason: NetlinkFormatError?

    /// What was wrong first; nothing is read after it.
    @inlinable public var error: NetlinkFormatError? { fault == 0 ? nil : explain() }

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
        let available = bytes.count &- next
        guard available >= 4 else {
            if available > 0 { fail(.cut, at: next) }
            return false
        }
        let header = bytes.loadUnaligned(fromByteOffset: next, as: nlattr.self)
        marked = header.nla_type
        payloadLength = Int(header.nla_len) &- 4
        payloadStart = next &+ 4
        // Below a header's length it is negative, and so beyond everything.
        guard UInt(bitPattern: payloadLength) <= UInt(bitPattern: available &- 4) else {
            fail(.length, at: next)
            return false
        }
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
        if let error = inner.error { reject(error) }
    }

    /// Marks the current attribute's content as wrong, for rules that only the caller knows. It is the last one then, and
    /// its payload is gone.
    @inlinable @inline(__always)
    public mutating func reject(_ reason: NetlinkFormatError) {
        if fault == 0 { self.reason = reason }
        fail(.rejected, at: payloadStart)
    }

    /// Kinds of faults, of which ``explain()`` makes errors.
    @usableFromInline
    enum Fault: Int {
        case cut
        case length
        case size
        case rejected
    }

    @inlinable @inline(__always)
    mutating func fail(_ kind: Fault, at place: Int) {
        if fault == 0 { fault = (place &+ 1) << 2 | kind.rawValue }
        // Behind all attributes, so that the way to the next one need not ask for an error.
        payloadStart = bytes.count
        payloadLength = 0
    }

    @inlinable @inline(__always)
    mutating func failSize<Value>() -> Value? {
        fail(.size, at: payloadStart)
        return nil
    }

    /// The error, from what is in memory at the fault's place.
    @usableFromInline
    func explain() -> NetlinkFormatError? {
        let place = fault >> 2 &- 1
        let available = bytes.count &- place
        switch Fault(rawValue: fault & 3) {
        case .cut: return .cutAttributeHeader(bytes: available)
        case .length:
            let header = header(at: place)
            return .attributeLength(type: header.type, length: header.length, available: available)
        case .size:
            let header = header(at: place &- 4)
            return .attributeSize(type: header.type, bytes: header.length &- 4)
        case .rejected, nil: return reason
        }
    }

    private func header(at place: Int) -> (type: UInt16, length: Int) {
        (
            bytes.loadUnaligned(fromByteOffset: place &+ 2, as: UInt16.self) & 0x3FFF,
            Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
        )
    }
}
