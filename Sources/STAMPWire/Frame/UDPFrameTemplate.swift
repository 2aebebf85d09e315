import NetworkAddresses

/// The constant headers of one UDP flow, written before each payload without allocating.
public struct UDPFrameTemplate: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    public var vlan: VLANTag?
    public var source: IPAddress
    public var destination: IPAddress
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// IPv4 time to live or IPv6 hop limit.
    public var hopLimit: UInt8
    /// The six DSCP bits (RFC 2474); higher bits are dropped.
    public var dscp: UInt8
    /// The two ECN bits (RFC 3168); higher bits are dropped.
    public var ecn: UInt8

    /// Creates a template. The default hop limit of 255 shows the receiver how many routers the packet passed; the
    /// reply carries the received value back (RFC 8762 section 4.3.1).
    public init(
        destinationMAC: MACAddress, sourceMAC: MACAddress, vlan: VLANTag? = nil, source: IPAddress,
        destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16, hopLimit: UInt8 = 255, dscp: UInt8 = 0,
        ecn: UInt8 = 0
    ) {
        self.destinationMAC = destinationMAC
        self.sourceMAC = sourceMAC
        self.vlan = vlan
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.hopLimit = hopLimit
        self.dscp = dscp
        self.ecn = ecn
    }

    private var networkOffset: Int { vlan == nil ? 14 : 18 }
    private var transportOffset: Int { networkOffset + (source.isIPv4 ? 20 : 40) }

    /// Offset of the UDP payload in the frame: 42 bytes with IPv4, 62 with IPv6, plus 4 with a tag.
    public var headerLength: Int { transportOffset + 8 }

    /// The largest payload whose length fits into the IP header.
    public var maximumPayloadLength: Int { 65535 - 8 - (source.isIPv4 ? 20 : 0) }

    /// Writes everything except the payload and the UDP checksum, which stays zero.
    ///
    /// IPv4 packets are atomic: don't-fragment set, identification 0 (RFC 6864 section 4.1). The driver pads frames
    /// under 60 bytes.
    /// - Returns: false, with nothing written, if headers and payload do not fit into `frame` or their length fields,
    ///   or if the addresses are of different families.
    public func writeHeaders(into frame: inout MutableRawSpan, payloadLength: Int) -> Bool {
        guard fits(frame.byteCount, payloadLength: payloadLength) else { return false }
        frame.store48(destinationMAC.rawValue, at: 0)
        frame.store48(sourceMAC.rawValue, at: 6)
        var typeOffset = 12
        if let vlan {
            frame.store16(EtherType.vlan, at: 12)
            frame.store16(vlan.controlInformation, at: 14)
            typeOffset = 16
        }
        let udpLength = UInt16(truncatingIfNeeded: payloadLength + 8)
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)):
            frame.store16(EtherType.ipv4, at: typeOffset)
            writeIPv4(into: &frame, source: source, destination: destination, udpLength: udpLength)
        case (.v6(let source), .v6(let destination)):
            frame.store16(EtherType.ipv6, at: typeOffset)
            writeIPv6(into: &frame, source: source, destination: destination, udpLength: udpLength)
        default: return false
        }
        let transport = transportOffset
        frame.store16(sourcePort, at: transport)
        frame.store16(destinationPort, at: transport + 2)
        frame.store16(udpLength, at: transport + 4)
        frame.store16(0, at: transport + 6)
        return true
    }

    /// Writes the UDP checksum over pseudo-header, UDP header and payload, all of which must be final. A checksum of 0
    /// is sent as 0xFFFF, because 0 means "no checksum" (RFC 768). Does nothing if
    /// ``writeHeaders(into:payloadLength:)`` would return false.
    public func writeChecksum(into frame: inout MutableRawSpan, payloadLength: Int) {
        guard fits(frame.byteCount, payloadLength: payloadLength) else { return }
        let transport = transportOffset
        let udpLength = payloadLength + 8
        frame.store16(0, at: transport + 6)
        var sum = InternetChecksum()
        sum.addUDPPseudoHeader(
            source: source, destination: destination, length: UInt16(truncatingIfNeeded: udpLength))
        sum.add(frame.bytes, transport..<transport + udpLength)
        let checksum = sum.complement
        frame.store16(checksum == 0 ? 0xFFFF : checksum, at: transport + 6)
    }

    private func fits(_ byteCount: Int, payloadLength: Int) -> Bool {
        source.isIPv4 == destination.isIPv4 && (0...maximumPayloadLength).contains(payloadLength)
            && headerLength + payloadLength <= byteCount
    }

    private var trafficClass: UInt8 { dscp << 2 | ecn & 3 }

    private func writeIPv4(
        into frame: inout MutableRawSpan, source: UInt32, destination: UInt32, udpLength: UInt16
    ) {
        let start = networkOffset
        frame.store8(0x45, at: start)
        frame.store8(trafficClass, at: start + 1)
        frame.store16(udpLength &+ 20, at: start + 2)
        frame.store16(0, at: start + 4)
        frame.store16(0x4000, at: start + 6)
        frame.store8(hopLimit, at: start + 8)
        frame.store8(IPProtocol.udp, at: start + 9)
        frame.store16(0, at: start + 10)
        frame.store32(source, at: start + 12)
        frame.store32(destination, at: start + 16)
        var sum = InternetChecksum()
        sum.add(frame.bytes, start..<start + 20)
        frame.store16(sum.complement, at: start + 10)
    }

    private func writeIPv6(
        into frame: inout MutableRawSpan, source: UInt128, destination: UInt128, udpLength: UInt16
    ) {
        let start = networkOffset
        frame.store32(0x6000_0000 | UInt32(trafficClass) << 20, at: start)
        frame.store16(udpLength, at: start + 4)
        frame.store8(IPProtocol.udp, at: start + 6)
        frame.store8(hopLimit, at: start + 7)
        frame.store128(source, at: start + 8)
        frame.store128(destination, at: start + 24)
    }
}
