import NetworkAddresses

/// The constant headers of one flow without IP, written before each payload without allocating.
public struct L2FrameTemplate: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    public var vlan: VLANTag?
    public var shape: L2FrameShape
    public var sourcePort: UInt16
    public var destinationPort: UInt16

    public init(
        destinationMAC: MACAddress, sourceMAC: MACAddress, vlan: VLANTag? = nil, shape: L2FrameShape = .ordinary,
        sourcePort: UInt16, destinationPort: UInt16
    ) {
        self.destinationMAC = destinationMAC
        self.sourceMAC = sourceMAC
        self.vlan = vlan
        self.shape = shape
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    private var linkLength: Int { vlan == nil ? 14 : 18 }

    /// Offset of the payload in the frame: 26 bytes, 74 in a PTP frame, plus 4 with a tag.
    public var headerLength: Int { linkLength + shape.overhead }

    /// Returns the frame's length in bytes for a payload. The driver pads frames under 60 bytes.
    public func frameLength(payloadLength: Int) -> Int {
        headerLength + payloadLength + shape.padding(payloadLength: payloadLength)
    }

    /// Writes everything except the payload. The frame check sequence is the only checksum.
    ///
    /// - Parameter sequence: the packet's number, which a PTP frame carries as its sequenceId. Some NICs match a
    ///   timestamp to its frame by it.
    /// - Returns: false, with nothing written, if headers and payload do not fit into `frame` or their length fields.
    public func writeHeaders(into frame: inout MutableRawSpan, payloadLength: Int, sequence: UInt16) -> Bool {
        guard (0...shape.maximumPayloadLength).contains(payloadLength),
            frameLength(payloadLength: payloadLength) <= frame.byteCount
        else { return false }
        frame.store48(destinationMAC.rawValue, at: 0)
        frame.store48(sourceMAC.rawValue, at: 6)
        if let vlan {
            frame.store16(EtherType.vlan, at: 12)
            frame.store16(vlan.controlInformation, at: 14)
        }
        var offset = linkLength
        frame.store16(shape.etherType, at: offset - 2)
        if shape == .ptp {
            let length = L2Header.length + payloadLength + shape.padding(payloadLength: payloadLength)
            let message = PTPSync(
                source: sourceMAC, sequence: sequence, isUnicast: !destinationMAC.isMulticast, tlvLength: length)
            _ = message.write(into: &frame, at: offset)
            offset += shape.wrapperLength
            // An odd payload is followed by one padding byte, the last of the TLV.
            if payloadLength & 1 == 1 { frame.store8(0, at: offset + length - 1) }
        }
        frame.store32(L2Header.magic, at: offset)
        frame.store8(L2Header.version, at: offset + 4)
        frame.store8(0, at: offset + 5)
        frame.store16(UInt16(truncatingIfNeeded: payloadLength), at: offset + 6)
        frame.store16(sourcePort, at: offset + L2Header.portsOffset)
        frame.store16(destinationPort, at: offset + L2Header.portsOffset + 2)
        return true
    }
}
