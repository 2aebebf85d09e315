/// A malformed netlink message or attribute, or one that does not fit its format.
public enum NetlinkFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A truncated message header.
    case cutMessageHeader(bytes: Int)
    /// A message whose length is shorter than its header or exceeds the datagram.
    case messageLength(Int, available: Int)
    /// A message shorter than the family's fixed header.
    case cutFixedHeader(bytes: Int, needed: Int)
    /// A truncated attribute header.
    case cutAttributeHeader(bytes: Int)
    /// An attribute whose length is shorter than its header or exceeds its container.
    case attributeLength(type: UInt16, length: Int, available: Int)
    /// An attribute whose payload has the wrong size for its value.
    case attributeSize(type: UInt16, bytes: Int)
    /// A required attribute that the message lacks.
    case missingAttribute(type: UInt16)
    /// An attribute to be written that is longer than its 16-bit length field can express.
    case attributeTooLong(type: UInt16, bytes: Int)

    public var description: String {
        switch self {
        case .cutMessageHeader(let bytes): "the message header is truncated to \(bytes) bytes"
        case .messageLength(let length, let available):
            "the message length is \(length) bytes, but \(available) bytes remain"
        case .cutFixedHeader(let bytes, let needed): "the family header has \(bytes) bytes, but needs \(needed)"
        case .cutAttributeHeader(let bytes): "an attribute header is truncated to \(bytes) bytes"
        case .attributeLength(let type, let length, let available):
            "the length of attribute \(type) is \(length) bytes, but \(available) bytes remain"
        case .attributeSize(let type, let bytes): "attribute \(type) has \(bytes) bytes, the wrong size for its value"
        case .missingAttribute(let type): "attribute \(type) is missing"
        case .attributeTooLong(let type, let bytes): "attribute \(type) has \(bytes) bytes; at most 65535 can be sent"
        }
    }
}
