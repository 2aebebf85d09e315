import CLinux

/// One message of a received datagram. It looks into memory that it does not own.
///
/// Source: netlink(7), struct nlmsghdr in linux/netlink.h.
package struct NetlinkMessage {
    package static let headerLength = MemoryLayout<nlmsghdr>.size

    package let type: UInt16
    package let flags: UInt16
    package let sequence: UInt32
    package let portID: UInt32
    /// What comes after the message header.
    package let payload: UnsafeRawBufferPointer

    package func hasFlag(_ flag: Int32) -> Bool { Int32(flags) & flag != 0 }

    /// The family's fixed header.
    package func fixed<Fixed: BitwiseCopyable>(as: Fixed.Type) throws(NetlinkFormatError) -> Fixed {
        guard payload.count >= MemoryLayout<Fixed>.size else {
            throw .cutFixedHeader(bytes: payload.count, needed: MemoryLayout<Fixed>.size)
        }
        return payload.loadUnaligned(as: Fixed.self)
    }

    /// The attributes after a fixed header of that type.
    package func attributes<Fixed: BitwiseCopyable>(
        after: Fixed.Type, order: ByteOrder = .host
    ) -> AttributeReader {
        attributes(from: netlinkAligned(MemoryLayout<Fixed>.size), order: order)
    }

    /// The attributes from `offset` of the payload on; none where the payload is shorter.
    package func attributes(from offset: Int, order: ByteOrder = .host) -> AttributeReader {
        let start = min(max(offset, 0), payload.count)
        return AttributeReader(UnsafeRawBufferPointer(rebasing: payload[start...]), order: order)
    }
}

/// A walk over the messages of one datagram that trusts no length. The first error stays, and ends the walk.
package struct MessageReader {
    private var rest: UnsafeRawBufferPointer
    package private(set) var error: NetlinkFormatError?

    package init(_ datagram: UnsafeRawBufferPointer) { rest = datagram }

    /// The next message; `nil` at the end and after an error.
    package mutating func next() -> NetlinkMessage? {
        guard error == nil, !rest.isEmpty else { return nil }
        guard rest.count >= NetlinkMessage.headerLength else {
            error = .cutMessageHeader(bytes: rest.count)
            return nil
        }
        let header = rest.loadUnaligned(as: nlmsghdr.self)
        let length = Int(header.nlmsg_len)
        guard length >= NetlinkMessage.headerLength, length <= rest.count else {
            error = .messageLength(length, available: rest.count)
            return nil
        }
        let message = NetlinkMessage(
            type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq, portID: header.nlmsg_pid,
            payload: UnsafeRawBufferPointer(rebasing: rest[NetlinkMessage.headerLength..<length]))
        rest = UnsafeRawBufferPointer(rebasing: rest[min(netlinkAligned(length), rest.count)...])
        return message
    }
}
