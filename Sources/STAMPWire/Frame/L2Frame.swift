import NetworkAddresses

/// The layout of an ``L2Frame``, as NICs and switches see it.
public enum L2FrameShape: String, Hashable, Sendable, CaseIterable {
    /// A frame with IEEE 802's EtherType for local experiments.
    case ordinary
    /// A PTP Sync that carries the packet in a TLV. NICs that timestamp only PTP on receipt timestamp it.
    case ptp

    /// The EtherType in host byte order.
    public var etherType: UInt16 {
        switch self {
        case .ordinary: EtherType.localExperimental
        case .ptp: EtherType.ptp
        }
    }

    /// Bytes between the EtherType and ``L2Header``.
    var wrapperLength: Int {
        switch self {
        case .ordinary: 0
        case .ptp: PTPSync.length + PTPSync.tlvHeaderLength
        }
    }

    /// Bytes between the EtherType and the packet, which reduce the MTU available to it.
    public var overhead: Int { wrapperLength + L2Header.length }

    /// Padding bytes after the packet: PTP TLVs have an even length.
    func padding(payloadLength: Int) -> Int { self == .ptp ? payloadLength & 1 : 0 }

    /// The largest packet whose length fits into every length field.
    var maximumPayloadLength: Int { 65534 - overhead }

    /// The largest packet that fits into a frame at this MTU; negative if the headers alone do not fit.
    public func room(mtu: Int) -> Int {
        let room = min(mtu - overhead, maximumPayloadLength)
        return room - padding(payloadLength: room)
    }
}

/// The header of each packet sent without IP. docs/l2-frame.md specifies the layout.
public enum L2Header {
    /// Header length in bytes, from the magic to the packet.
    public static let length = 12
    /// "OWL2"
    public static let magic: UInt32 = 0x4F57_4C32
    static let version: UInt8 = 1

    /// Returns the offset of the magic in an untagged frame, for filters.
    public static func offset(in shape: L2FrameShape) -> Int { 14 + shape.wrapperLength }
    /// Offset of the two ports from the magic, for filters.
    public static let portsOffset = 8
}

/// An Ethernet frame that carries one packet without IP, decoded without copying.
///
/// The header states the payload length, so the padding of a short Ethernet frame is excluded.
public struct L2Frame: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    /// The tag in the frame. The kernel strips the tag from received frames and delivers it separately.
    public var vlan: VLANTag?
    public var shape: L2FrameShape
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Offsets of the payload in the frame; in a partial frame, of the bytes present.
    public var payload: Range<Int>

    /// Frame length in bytes, without Ethernet padding.
    public var length: Int { payload.upperBound + shape.padding(payloadLength: payload.count) }

    /// Decodes a frame of any length. In a PTP frame it checks only the EtherType and the TLV: the PTP header is for
    /// NICs and switches, which may change it.
    ///
    /// - Parameters:
    ///   - frame: the bytes from the destination MAC address, without the frame check sequence.
    ///   - wholeLength: the original frame's length, if `frame` may be only its beginning, as in a sample.
    /// - Throws: the first reason found, from the link layer up.
    public init(decoding frame: RawSpan, wholeLength: Int? = nil) throws(FrameError) {
        guard let destinationMAC = frame.u48(at: 0), let sourceMAC = frame.u48(at: 6),
            var etherType = frame.u16(at: 12)
        else { throw .short }
        var start = 14
        if etherType == EtherType.vlan {
            guard let tag = frame.u16(at: 14), let inner = frame.u16(at: 16) else { throw .short }
            vlan = VLANTag(controlInformation: tag)
            etherType = inner
            start = 18
        }
        var end = max(wholeLength ?? 0, frame.byteCount)
        switch etherType {
        case EtherType.localExperimental:
            shape = .ordinary
        case EtherType.ptp:
            shape = .ptp
            start += PTPSync.length
            guard let type = frame.u16(at: start), let length = frame.u16(at: start + 2) else { throw .short }
            guard type == PTPSync.tlvType else { throw .notL2 }
            start += PTPSync.tlvHeaderLength
            guard start + Int(length) <= end else { throw .truncated }
            end = start + Int(length)
        default:
            throw .notL2
        }
        guard start + L2Header.length <= end, let magic = frame.u32(at: start), let version = frame.u8(at: start + 4),
            let length = frame.u16(at: start + 6), let sourcePort = frame.u16(at: start + L2Header.portsOffset),
            let destinationPort = frame.u16(at: start + L2Header.portsOffset + 2)
        else { throw .short }
        guard magic == L2Header.magic, version == L2Header.version else { throw .notL2 }
        let first = start + L2Header.length
        guard first + Int(length) <= end else { throw .truncated }
        payload = first..<min(first + Int(length), frame.byteCount)
        self.destinationMAC = MACAddress(rawValue: destinationMAC)
        self.sourceMAC = MACAddress(rawValue: sourceMAC)
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }
}
