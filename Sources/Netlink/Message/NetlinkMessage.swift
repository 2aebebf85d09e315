import CLinux

/// One message of a received datagram. It refers to memory that it does not own.
///
/// Source: netlink(7), struct nlmsghdr in linux/netlink.h.
public struct NetlinkMessage {
    /// Size of the message header, struct nlmsghdr, in bytes.
    @inlinable public static var headerLength: Int { MemoryLayout<nlmsghdr>.size }

    /// The message type, by its number in the family.
    public let type: UInt16
    /// NLM_F_* bits.
    public let flags: UInt16
    /// The sequence number of the request that it answers; 0 for a notification.
    public let sequence: UInt32
    /// The port of the socket that sent the request; 0 for a notification.
    public let portID: UInt32
    /// The bytes after the message header.
    public let payload: UnsafeRawBufferPointer

    @usableFromInline
    init(_ header: nlmsghdr, _ payload: UnsafeRawBufferPointer) {
        type = header.nlmsg_type
        flags = header.nlmsg_flags
        sequence = header.nlmsg_seq
        portID = header.nlmsg_pid
        self.payload = payload
    }

    /// Returns whether a flag (NLM_F_*) is set.
    @inlinable
    public func hasFlag(_ flag: Int32) -> Bool { Int32(flags) & flag != 0 }

    /// Reads the family's fixed header.
    @inlinable
    public func fixed<Fixed: BitwiseCopyable>(as: Fixed.Type) throws(NetlinkFormatError) -> Fixed {
        guard payload.count >= MemoryLayout<Fixed>.size else {
            throw .cutFixedHeader(bytes: payload.count, needed: MemoryLayout<Fixed>.size)
        }
        return payload.loadUnaligned(as: Fixed.self)
    }

    /// Returns a reader of the attributes after a fixed header of that type.
    @inlinable
    public func attributes<Fixed: BitwiseCopyable>(
        after: Fixed.Type, order: ByteOrder = .host
    ) -> AttributeReader {
        attributes(from: netlinkAligned(MemoryLayout<Fixed>.size), order: order)
    }

    /// Returns a reader of the attributes from `offset` in the payload; it is empty if the payload is shorter.
    @inlinable
    public func attributes(from offset: Int, order: ByteOrder = .host) -> AttributeReader {
        let start = min(max(offset, 0), payload.count)
        return AttributeReader(UnsafeRawBufferPointer(rebasing: payload[start...]), order: order)
    }
}

/// A reader of one datagram's messages that checks every length. The first error is kept and ends the iteration.
public struct MessageReader {
    @usableFromInline var rest: UnsafeRawBufferPointer
    /// The first error; nothing is read after it.
    @inlinable public var error: NetlinkFormatError? { failure }
    @usableFromInline var failure: NetlinkFormatError?

    @inlinable
    public init(_ datagram: UnsafeRawBufferPointer) { rest = datagram }

    /// Returns the next message; `nil` at the end and after an error.
    @inlinable
    public mutating func next() -> NetlinkMessage? {
        guard failure == nil, !rest.isEmpty else { return nil }
        guard rest.count >= NetlinkMessage.headerLength else {
            failure = .cutMessageHeader(bytes: rest.count)
            return nil
        }
        let header = rest.loadUnaligned(as: nlmsghdr.self)
        let length = Int(header.nlmsg_len)
        guard length >= NetlinkMessage.headerLength, length <= rest.count else {
            failure = .messageLength(length, available: rest.count)
            return nil
        }
        let message = NetlinkMessage(
            header, UnsafeRawBufferPointer(rebasing: rest[NetlinkMessage.headerLength..<length]))
        rest = UnsafeRawBufferPointer(rebasing: rest[min(netlinkAligned(length), rest.count)...])
        return message
    }
}
