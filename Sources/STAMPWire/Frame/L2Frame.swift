import NetworkAddresses

/// How a frame of ``L2Frame`` looks to NICs and to switches.
public enum L2FrameShape: String, Hashable, Sendable, CaseIterable {
    /// IEEE 802's local experimental EtherType.
    case ordinary
    /// A PTP Sync that carries the packet in a TLV: NICs whose receive filter knows PTP alone timestamp it.
    case ptp

    /// Host order.
    public var etherType: UInt16 {
        switch self {
        case .ordinary: EtherType.localExperimental
        case .ptp: EtherType.ptp
        }
    }

    /// Bytes between the EtherType and the packet's own header.
    var shellLength: Int {
        switch self {
        case .ordinary: 0
        case .ptp: PTPSync.length + PTPSync.tlvHeaderLength
        }
    }

    /// Bytes between the EtherType and the packet: what the MTU loses.
    public var overhead: Int { shellLength + L2Header.length }

    /// Bytes behind the packet: PTP's TLVs have an even length.
    func padding(payloadLength: Int) -> Int { self == .ptp ? payloadLength & 1 : 0 }

    /// The largest packet whose length all fields can state.
    var maximumPayloadLength: Int { 65534 - overhead }

    /// The largest packet that fits into frames of an MTU; below 0 where not even the headers do.
    public func room(mtu: Int) -> Int {
        let room = min(mtu - overhead, maximumPayloadLength)
        return room - padding(payloadLength: room)
    }
}

/// What stands in front of each packet that travels without IP. docs/l2-frame.md has the layout.
public enum L2Header {
    /// Bytes from the magic to the packet.
    public static let length = 12
    /// "OWL2"
    public static let magic: UInt32 = 0x4F57_4C32
    static let version: UInt8 = 1

    /// Offsets of magic and ports in an untagged frame, for filters.
    public static func offset(in shape: L2FrameShape) -> Int { 14 + shape.shellLength }
    public static let portsOffset = 8
}

/// An Ethernet frame that carries one packet without IP, decoded without copying.
///
/// The payload is as long as the header says, so the padding of a short Ethernet frame is not part of it.
public struct L2Frame: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    /// The tag that is in the frame. The kernel takes a tag out of received frames and delivers it beside them.
    public var vlan: VLANTag?
    public var shape: L2FrameShape
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Offsets of the payload in the frame; of a frame that was cut, of what there is of it.
    public var payload: Range<Int>

    /// Bytes of the frame without Ethernet's own padding.
    public var length: Int { payload.upperBound + shape.padding(payloadLength: payload.count) }

    /// Decodes a frame of any length. Of a PTP frame only the EtherType and the TLV are looked at: what the header in
    /// front of it says is for NICs and switches, and these may change it.
    ///
    /// - Parameters:
    ///   - frame: from the destination MAC address on, without the frame check sequence.
    ///   - wholeLength: the frame's own length where `frame` may be the beginning alone, as samples are.
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
