import NetworkAddresses

/// An Ethernet frame that carries one UDP datagram, decoded without copying.
///
/// Accepts at most one 802.1Q tag, IPv4 with options, and IPv6 with hop-by-hop, destination and routing headers before
/// UDP. The UDP header states the payload length, so the padding of a short Ethernet frame is excluded.
public struct UDPFrame: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    /// The tag in the frame. The kernel strips the tag from received frames and delivers it separately.
    public var vlan: VLANTag?
    public var source: IPAddress
    public var destination: IPAddress
    /// IPv4 time to live or IPv6 hop limit.
    public var hopLimit: UInt8
    /// The six DSCP bits (RFC 2474).
    public var dscp: UInt8
    /// The two ECN bits (RFC 3168).
    public var ecn: UInt8
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Offsets of the UDP payload in the frame; in a partial frame, of the bytes present.
    public var payload: Range<Int>

    /// Decodes a frame of any length.
    ///
    /// - Parameters:
    ///   - frame: the bytes from the destination MAC address, without the frame check sequence.
    ///   - verifyChecksum: true to verify the UDP checksum. Pass false for a frame that never reaches the NIC that
    ///     would fill its checksum in (TP_STATUS_CSUMNOTREADY, packet(7)). The IPv4 header checksum is always verified.
    ///     An absent UDP checksum (0) is accepted over IPv4 (RFC 768) and rejected over IPv6 (RFC 8200 section 8.1).
    ///     The UDP checksum of a partial frame cannot be verified.
    ///   - wholeLength: the original frame's length, if `frame` may be only its beginning, as in a sample.
    /// - Throws: the first reason found, from the link layer up.
    public init(
        decoding frame: RawSpan, verifyChecksum: Bool = true, wholeLength: Int? = nil
    ) throws(FrameError) {
        let wholeLength = max(wholeLength ?? 0, frame.byteCount)
        guard let destinationMAC = frame.u48(at: 0), let sourceMAC = frame.u48(at: 6),
            var etherType = frame.u16(at: 12)
        else { throw .short }
        var network = 14
        var vlan: VLANTag?
        if etherType == EtherType.vlan {
            guard let tag = frame.u16(at: 14), let inner = frame.u16(at: 16) else { throw .short }
            vlan = VLANTag(controlInformation: tag)
            etherType = inner
            network = 18
        }
        let header: NetworkHeader
        switch etherType {
        case EtherType.ipv4:
            header = try NetworkHeader(decodingIPv4: frame, at: network, wholeLength: wholeLength)
        case EtherType.ipv6:
            header = try NetworkHeader(decodingIPv6: frame, at: network, wholeLength: wholeLength)
        default: throw .notIP
        }
        self.destinationMAC = MACAddress(rawValue: destinationMAC)
        self.sourceMAC = MACAddress(rawValue: sourceMAC)
        self.vlan = vlan
        source = header.source
        destination = header.destination
        hopLimit = header.hopLimit
        dscp = header.trafficClass >> 2
        ecn = header.trafficClass & 3

        let transport = header.transport
        guard transport.count >= 8, let sourcePort = frame.u16(at: transport.lowerBound),
            let destinationPort = frame.u16(at: transport.lowerBound + 2),
            let length = frame.u16(at: transport.lowerBound + 4),
            let checksum = frame.u16(at: transport.lowerBound + 6),
            length >= 8, Int(length) <= transport.count
        else { throw .badHeader }
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        let end = transport.lowerBound + Int(length)
        payload = transport.lowerBound + 8..<min(end, frame.byteCount)

        guard verifyChecksum, end <= frame.byteCount else { return }
        if checksum == 0 {
            guard source.isIPv4 else { throw .badChecksum }
            return
        }
        var sum = InternetChecksum()
        sum.addUDPPseudoHeader(source: source, destination: destination, length: length)
        sum.add(frame, transport.lowerBound..<payload.upperBound)
        guard sum.folded == 0xFFFF else { throw .badChecksum }
    }
}
