import CLinux
import NetworkAddresses

/// A reader of attributes that checks every length. The first error is kept and ends the iteration.
///
///     while reader.next() {
///         switch reader.type { … reader.integer(as: UInt32.self) … }
///     }
///     if let error = reader.error { throw error }
///
/// It refers to memory that it does not own, so it must not outlive its datagram. Everything that a decoder calls for
/// each attribute is inlined, also into other modules, so that the reader stays in registers. Source: netlink(7),
/// struct nlattr in linux/netlink.h.
public struct AttributeReader {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline let order: ByteOrder
    /// The attribute's type field, including NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    @usableFromInline var marked: UInt16 = 0
    /// The current attribute's payload, without padding.
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Range(uncheckedBounds: (payloadStart, payloadStart &+ payloadLength))])
    }
    /// Offset and length of the payload. The next attribute's offset is computed from them on demand: after a decoder
    /// has compared the length with a constant, the CPU predicts that offset without waiting for the length's load.
    @usableFromInline var payloadStart = 0
    @usableFromInline var payloadLength = 0
    /// The first error: 0 for none, otherwise its offset + 1 above the two bits of its kind. It is one word, so that a
    /// decoder carries no more from attribute to attribute.
    @usableFromInline var fault = 0
    /// The first error that the caller reported.
    @usableFromInline var reason: NetlinkFormatError?

    /// The first error; nothing is read after it.
    @inlinable public var error: NetlinkFormatError? { fault == 0 ? nil : explain() }

    /// The current attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    @inlinable public var type: UInt16 { marked & 0x3FFF }
    /// True if the current attribute is marked as nested (NLA_F_NESTED). Older families do not set the mark.
    @inlinable public var isMarkedNested: Bool { marked & 0x8000 != 0 }
    /// True if the current attribute is marked as being in network byte order (NLA_F_NET_BYTEORDER).
    @inlinable public var isMarkedNetworkOrder: Bool { marked & 0x4000 != 0 }

    /// Begins before the first attribute.
    ///
    /// - Parameter order: the byte order of integers without NLA_F_NET_BYTEORDER.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, order: ByteOrder = .host) {
        self.bytes = bytes
        self.order = order
    }

    /// Starts over with another message's attributes and clears the error.
    @inlinable
    public mutating func reset(to bytes: UnsafeRawBufferPointer) { self = AttributeReader(bytes, order: order) }

    /// Advances to the next attribute; returns `false` at the end and after an error.
    @inlinable @inline(__always)
    public mutating func next() -> Bool {
        // The last attribute may lack its padding.
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
        // A length shorter than the header is negative here, and too large as an unsigned value.
        guard UInt(bitPattern: payloadLength) <= UInt(bitPattern: available &- 4) else {
            fail(.length, at: next)
            return false
        }
        return true
    }

    /// Reads the payload as an integer. Another size is recorded as an error, and the result is `nil`.
    @inlinable @inline(__always)
    public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payloadLength == MemoryLayout<Value>.size else { return failSize() }
        let value = bytes.loadUnaligned(fromByteOffset: payloadStart, as: Value.self)
        return isMarkedNetworkOrder || order == .network ? Value(bigEndian: value) : value
    }

    /// Reads a C structure from the start of the payload, which newer kernels may extend. A payload that is too short
    /// is recorded as an error, and the result is `nil`.
    @inlinable
    public mutating func structure<Value: BitwiseCopyable>(as: Value.Type) -> Value? {
        guard payloadLength >= MemoryLayout<Value>.size else { return failSize() }
        return bytes.loadUnaligned(fromByteOffset: payloadStart, as: Value.self)
    }

    /// Reads the payload as an IPv4 or IPv6 address, depending on its size.
    @inlinable
    public mutating func address() -> IPAddress? {
        switch payloadLength {
        case 4: .v4(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: payloadStart, as: UInt32.self)))
        case 16: .v6(UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: payloadStart, as: UInt128.self)))
        default: failSize()
        }
    }

    /// Reads the payload as a MAC address; `nil` for other sizes, which other link types have.
    public func macAddress() -> MACAddress? {
        guard payloadLength == 6 else { return nil }
        return MACAddress(rawValue: payload.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// Reads the payload up to the first zero byte as a string; invalid UTF-8 is replaced.
    public func string() -> String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }

    /// Calls `body` with a reader of the attributes nested in the current one. Its error becomes this reader's.
    @inlinable
    public mutating func nested(order: ByteOrder? = nil, _ body: (inout AttributeReader) -> Void) {
        var inner = AttributeReader(payload, order: order ?? self.order)
        body(&inner)
        if let error = inner.error { reject(error) }
    }

    /// Rejects the current attribute for a reason that only the caller can check. The iteration ends, and the payload
    /// becomes empty.
    @inlinable @inline(__always)
    public mutating func reject(_ reason: NetlinkFormatError) {
        if fault == 0 { self.reason = reason }
        fail(.rejected, at: payloadStart)
    }

    /// The kinds of errors, which ``explain()`` turns into ``NetlinkFormatError``.
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
        // Moved past all attributes, so that next() need not check for an error.
        payloadStart = bytes.count
        payloadLength = 0
    }

    @inlinable @inline(__always)
    mutating func failSize<Value>() -> Value? {
        fail(.size, at: payloadStart)
        return nil
    }

    /// The error, reconstructed from the bytes at its offset.
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
