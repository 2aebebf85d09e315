import NetworkAddresses

/// The unchanging headers of one flow without IP, written in front of each payload without allocating.
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

    /// Offset of the payload in the frame: 26 bytes, 74 in a PTP frame, and 4 more with a tag.
    public var headerLength: Int { linkLength + shape.overhead }

    /// Bytes of the frame around a payload. Under 60 the driver pads it.
    public func frameLength(payloadLength: Int) -> Int {
        headerLength + payloadLength + shape.padding(payloadLength: payloadLength)
    }

    /// Writes everything but the payload. There is no checksum beside the frame check sequence.
    ///
    /// - Parameter sequence: a number of the packet's, which a PTP frame carries as its own: some NICs find the timestamp
    ///   of a frame by it.
    /// - Returns: false, and nothing written, when headers and payload do not fit into `frame` or into their length
    ///   fields.
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
            offset += shape.shellLength
            // Only a TLV of odd length has that byte, and then it is its last.
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
