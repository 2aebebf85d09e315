import NetworkAddresses

/// The fields of a UDP datagram's IPv4 or IPv6 header, and the datagram's place in the frame.
struct NetworkHeader {
    var source: IPAddress
    var destination: IPAddress
    var hopLimit: UInt8
    var trafficClass: UInt8
    /// From the UDP header to the end of the IP payload. In a partial frame it extends past the bytes present.
    var transport: Range<Int>

    /// Decodes an IPv4 header (RFC 791) and skips its options.
    ///
    /// - Parameter wholeLength: the original frame's length; `frame` may be only its beginning.
    init(decodingIPv4 frame: RawSpan, at start: Int, wholeLength: Int) throws(FrameError) {
        guard let versionAndLength = frame.u8(at: start), let trafficClass = frame.u8(at: start + 1),
            let totalLength = frame.u16(at: start + 2), let fragment = frame.u16(at: start + 6),
            let hopLimit = frame.u8(at: start + 8), let proto = frame.u8(at: start + 9),
            let source = frame.u32(at: start + 12), let destination = frame.u32(at: start + 16)
        else { throw .short }
        let headerLength = Int(versionAndLength & 0xF) * 4
        guard versionAndLength >> 4 == 4, headerLength >= 20, Int(totalLength) >= headerLength else {
            throw .badHeader
        }
        let end = start + Int(totalLength)
        guard end <= wholeLength else { throw .truncated }
        guard start + headerLength <= frame.byteCount else { throw .short }
        var sum = InternetChecksum()
        sum.add(frame, start..<start + headerLength)
        guard sum.folded == 0xFFFF else { throw .badHeaderChecksum }
        // More-fragments set, or an offset. The reserved and don't-fragment bits do not mark a fragment.
        guard fragment & 0x3FFF == 0 else { throw .fragment }
        guard proto == IPProtocol.udp else { throw .notUDP }
        self.source = .v4(source)
        self.destination = .v4(destination)
        self.hopLimit = hopLimit
        self.trafficClass = trafficClass
        transport = start + headerLength..<end
    }

    /// Decodes an IPv6 header (RFC 8200). Both the packet's length and ``extensionHeaderLimit`` bound the walk over
    /// extension headers.
    init(decodingIPv6 frame: RawSpan, at start: Int, wholeLength: Int) throws(FrameError) {
        guard let first = frame.u32(at: start), let payloadLength = frame.u16(at: start + 4),
            var next = frame.u8(at: start + 6), let hopLimit = frame.u8(at: start + 7),
            let source = frame.u128(at: start + 8), let destination = frame.u128(at: start + 24)
        else { throw .short }
        guard first >> 28 == 6 else { throw .badHeader }
        var offset = start + 40
        let end = offset + Int(payloadLength)
        guard end <= wholeLength else { throw .truncated }

        var headers = 0
        while next != IPProtocol.udp {
            switch next {
            case IPProtocol.hopByHopOptions:
                // Allowed only directly after the fixed header (RFC 8200 section 4.1).
                guard headers == 0 else { throw .badHeader }
            case IPProtocol.destinationOptions: break
            case IPProtocol.routing:
                // With segments left, the packet is in transit to another node, whose address the checksum covers.
                guard frame.u8(at: offset + 3) == 0 else { throw .badHeader }
            case IPProtocol.fragment: throw .fragment
            default: throw .notUDP
            }
            headers += 1
            guard headers <= Self.extensionHeaderLimit, let following = frame.u8(at: offset),
                let length = frame.u8(at: offset + 1)
            else { throw .badHeader }
            next = following
            offset += (Int(length) + 1) * 8
            guard offset <= end else { throw .badHeader }
        }
        self.source = .v6(source)
        self.destination = .v6(destination)
        self.hopLimit = hopLimit
        trafficClass = UInt8(truncatingIfNeeded: first >> 20)
        transport = offset..<end
    }

    /// The most extension headers accepted. The order in RFC 8200 section 4.1 allows four of these kinds before UDP; no
    /// sender has a reason to exceed twice that.
    static let extensionHeaderLimit = 8
}
