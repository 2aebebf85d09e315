import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The frames that the doctor sends: few, and harmless to all other receivers.
enum DoctorFrames {
    /// IEEE 802's local experimental ethertype, which no protocol uses.
    static let experimental = L2FrameShape.ordinary.etherType
    static let ptp = L2FrameShape.ptp.etherType
    /// PTP's group address that bridges do not forward.
    static let linkLocalGroup = MACAddress(rawValue: 0x0180_C200_000E)
    /// PTP's general group address. The doctor only listens to it.
    static let generalGroup = MACAddress(rawValue: 0x011B_1900_0000)
    /// The length of the shortest frame, without its frame check sequence.
    private static let shortest = 60

    /// A frame of the experimental ethertype whose payload names the sender, "probe doctor".
    static func ordinary(to destination: MACAddress, from source: MACAddress) -> [UInt8] {
        padded(header(destination, source, experimental) + "probe doctor".utf8)
    }

    /// A PTP Sync of domain 127, which no clock follows.
    static func sync(from source: MACAddress, sequence: UInt16) -> [UInt8] {
        let header = header(linkLocalGroup, source, ptp)
        var frame = padded(header)
        var span = frame.mutableSpan
        var bytes = span.mutableBytes
        // The Sync's 44 bytes fit into the shortest frame.
        _ = PTPSync(source: source, sequence: sequence).write(into: &bytes, at: header.count)
        return frame
    }

    /// A STAMP probe to a reflector; `nil` if the addresses are of different families.
    static func probe(_ template: UDPFrameTemplate, sequence: UInt32, time: Int64) -> [UInt8]? {
        var frame = [UInt8](repeating: 0, count: max(shortest, template.headerLength + SenderPacket.length))
        let estimate = ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 16_000_000_000)
        let packet = SenderPacket(
            sequence: sequence, timestampNanoseconds: time, errorEstimate: estimate, ssid: 0)
        var span = frame.mutableSpan
        var bytes = span.mutableBytes
        guard write(packet, template, into: &bytes) else { return nil }
        return frame
    }

    private static func write(
        _ packet: SenderPacket, _ template: UDPFrameTemplate, into frame: inout MutableRawSpan
    ) -> Bool {
        guard template.writeHeaders(into: &frame, payloadLength: SenderPacket.length) else { return false }
        var payload = frame._mutatingExtracting(template.headerLength...)
        guard packet.write(into: &payload) else { return false }
        template.writeChecksum(into: &frame, payloadLength: SenderPacket.length)
        return true
    }

    private static func header(_ destination: MACAddress, _ source: MACAddress, _ etherType: UInt16) -> [UInt8] {
        (0..<6).map { destination.octet($0) } + (0..<6).map { source.octet($0) }
            + [UInt8(etherType >> 8), UInt8(truncatingIfNeeded: etherType)]
    }

    private static func padded(_ frame: [UInt8]) -> [UInt8] {
        frame + [UInt8](repeating: 0, count: max(0, shortest - frame.count))
    }

    // MARK: - Received frames

    /// The kind of a received frame; `nil` for frames that prove nothing: PTP general messages, which NICs do not
    /// timestamp, and PTP over UDP.
    static func kind(of frame: RawSpan, etherType: UInt16) -> FrameKind? {
        if etherType == ptp {
            // Message types below 8 are event messages.
            guard let type = frame.u8(at: 14) else { return nil }
            return type & 0x0F < 8 ? .ptp : nil
        }
        if let datagram = try? UDPFrame(decoding: frame, verifyChecksum: false),
            [319, 320].contains(datagram.destinationPort)
        {
            return nil
        }
        return .ordinary
    }

    /// Returns whether a received frame is the peer's reply to one of the probes.
    static func isReply(_ frame: RawSpan, to template: UDPFrameTemplate, probes: Int) -> Bool {
        guard let datagram = try? UDPFrame(decoding: frame, verifyChecksum: false),
            datagram.source == template.destination, datagram.destination == template.source,
            datagram.sourcePort == template.destinationPort, datagram.destinationPort == template.sourcePort,
            let reply = ReflectorPacket(decoding: frame.extracting(datagram.payload))
        else { return false }
        return reply.senderSequence < UInt32(clamping: probes)
    }
}
