/// The reason a frame does not carry a complete, intact packet, in a UDP datagram or without IP.
public enum FrameError: Error, Hashable, Sendable {
    /// Too few bytes for the mandatory headers of its kind.
    case short
    /// An EtherType other than IPv4 or IPv6, after at most one 802.1Q tag.
    case notIP
    /// A protocol other than UDP.
    case notUDP
    /// A fragment of a datagram, including the first.
    case fragment
    /// A version, header length, extension header or UDP length that is invalid or contradicts the rest.
    case badHeader
    /// The IPv4 header checksum does not match.
    case badHeaderChecksum
    /// The UDP checksum does not match, or is zero over IPv6.
    case badChecksum
    /// The frame ends before the length that its header states.
    case truncated
    /// Neither of the layouts of ``L2Frame``: another EtherType, TLV type, magic or version.
    case notL2
}

/// An IEEE 802.1Q tag.
public struct VLANTag: Hashable, Sendable {
    /// Priority code point (PCP), 0 to 7.
    public var priority: UInt8
    /// Drop eligible indicator (DEI): under congestion the frame may be dropped first.
    public var dropEligible: Bool
    /// VLAN identifier, 0 to 4095; 0 in a priority-only tag.
    public var identifier: UInt16

    public init(priority: UInt8, dropEligible: Bool, identifier: UInt16) {
        self.priority = priority
        self.dropEligible = dropEligible
        self.identifier = identifier
    }

    /// Splits tag control information: 3 bits priority, 1 bit drop eligible, 12 bits identifier.
    public init(controlInformation: UInt16) {
        priority = UInt8(truncatingIfNeeded: controlInformation >> 13)
        dropEligible = controlInformation & 0x1000 != 0
        identifier = controlInformation & 0x0FFF
    }

    /// The 16 bits of tag control information. Bits beyond a field's width are dropped.
    public var controlInformation: UInt16 {
        UInt16(priority & 7) << 13 | (dropEligible ? 0x1000 : 0) | identifier & 0x0FFF
    }
}
