/// Why a frame is not one that carries a whole and intact packet, in a UDP datagram or without IP.
public enum FrameError: Error, Hashable, Sendable {
    /// Too few bytes for the headers that every frame of its kind has.
    case short
    /// An EtherType other than IPv4 or IPv6, after at most one 802.1Q tag.
    case notIP
    /// Another protocol than UDP.
    case notUDP
    /// A fragment of a datagram, the first one included.
    case fragment
    /// A version, header length, extension header or UDP length that contradicts the rest.
    case badHeader
    /// The IPv4 header checksum does not match.
    case badHeaderChecksum
    /// The UDP checksum does not match, or is zero over IPv6.
    case badChecksum
    /// The frame ends before the length that its header claims.
    case truncated
    /// Of a frame without IP: another EtherType, TLV, magic or version.
    case notL2
}

/// The tag of IEEE 802.1Q.
public struct VLANTag: Hashable, Sendable {
    /// PCP, 0 to 7.
    public var priority: UInt8
    /// DEI: may be dropped first under congestion.
    public var dropEligible: Bool
    /// VLAN identifier, 0 to 4095; 0 is a frame that has a priority only.
    public var identifier: UInt16

    public init(priority: UInt8, dropEligible: Bool, identifier: UInt16) {
        self.priority = priority
        self.dropEligible = dropEligible
        self.identifier = identifier
    }

    /// Takes the tag control information apart: 3 bits priority, 1 bit drop eligible, 12 bits identifier.
    public init(controlInformation: UInt16) {
        priority = UInt8(truncatingIfNeeded: controlInformation >> 13)
        dropEligible = controlInformation & 0x1000 != 0
        identifier = controlInformation & 0x0FFF
    }

    /// The 16 bits of tag control information. What exceeds a field's width is cut off.
    public var controlInformation: UInt16 {
        UInt16(priority & 7) << 13 | (dropEligible ? 0x1000 : 0) | identifier & 0x0FFF
    }
}
