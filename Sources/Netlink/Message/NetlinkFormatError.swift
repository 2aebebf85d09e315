/// Bytes that are no netlink message or attribute, or not the one that was asked for.
public enum NetlinkFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A message header of which only some bytes are there.
    case cutMessageHeader(bytes: Int)
    /// A message whose length is below its header's or goes past the datagram.
    case messageLength(Int, available: Int)
    /// Fewer bytes than the family's fixed header.
    case cutFixedHeader(bytes: Int, needed: Int)
    /// An attribute header of which only some bytes are there.
    case cutAttributeHeader(bytes: Int)
    /// An attribute whose length is below its header's or goes past what holds it.
    case attributeLength(type: UInt16, length: Int, available: Int)
    /// An attribute whose payload has another size than its value.
    case attributeSize(type: UInt16, bytes: Int)
    /// An attribute that the message cannot do without.
    case missingAttribute(type: UInt16)
    /// An attribute to be written that has more bytes than its 16-bit length can say.
    case attributeTooLong(type: UInt16, bytes: Int)

    public var description: String {
        switch self {
        case .cutMessageHeader(let bytes): "a message header cut to \(bytes) bytes"
        case .messageLength(let length, let available): "a message of \(length) bytes where there are \(available)"
        case .cutFixedHeader(let bytes, let needed): "a family header of \(bytes) bytes where \(needed) are needed"
        case .cutAttributeHeader(let bytes): "an attribute header cut to \(bytes) bytes"
        case .attributeLength(let type, let length, let available):
            "attribute \(type) of \(length) bytes where there are \(available)"
        case .attributeSize(let type, let bytes): "attribute \(type) has \(bytes) bytes, not its value's size"
        case .missingAttribute(let type): "attribute \(type) is missing"
        case .attributeTooLong(let type, let bytes): "attribute \(type) of \(bytes) bytes is too long to send"
        }
    }
}
