import NetworkAddresses

/// What can be said of a frame that carries a STAMP packet by ports alone, where only its beginning may be there: what
/// others, such as the kernel's packet sampler, have seen of a session.
///
/// IPv4 or IPv6 with UDP, or without IP (``L2Frame``); at most one 802.1Q tag. UDP checksums are not looked at: on
/// their way out frames have them filled in by the NIC.
public struct STAMPFrame: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// To a reflector's port.
        case probe
        /// From a reflector's port.
        case reply
    }

    public var kind: Kind
    /// Whether it travels in UDP over IP.
    public var hasIP: Bool
    public var sourceMAC: MACAddress
    public var destinationMAC: MACAddress
    /// Without IP: the link-local address that belongs to the station's MAC address, as in a session.
    public var source: IPAddress
    public var destination: IPAddress
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// The packet's own number: in a reply the reflector's count.
    public var sequence: UInt32
    /// The number of the probe, or of the probe that is answered; nil in a reply that was cut before it.
    public var probeSequence: UInt32?
    /// The packet's own timestamp and what is said of its format; nil where the packet ends before them.
    public var timestamp: UInt64?
    public var errorEstimate: ErrorEstimate?
    /// 0: none; nil where the packet ends before it.
    public var ssid: UInt16?

    /// - Parameters:
    ///   - frame: from the destination MAC address on, without the frame check sequence.
    ///   - wholeLength: the frame's own length where `frame` may be the beginning alone.
    ///   - port: where reflectors listen.
    /// - Returns: `nil` for a frame that is none, or that was cut before the packet's number.
    public init?(decoding frame: RawSpan, wholeLength: Int? = nil, port: UInt16 = STAMP.port) {
        let payload: Range<Int>
        if let datagram = try? UDPFrame(decoding: frame, verifyChecksum: false, wholeLength: wholeLength) {
            hasIP = true
            sourceMAC = datagram.sourceMAC
            destinationMAC = datagram.destinationMAC
            source = datagram.source
            destination = datagram.destination
            sourcePort = datagram.sourcePort
            destinationPort = datagram.destinationPort
            payload = datagram.payload
        } else if let packet = try? L2Frame(decoding: frame, wholeLength: wholeLength) {
            hasIP = false
            sourceMAC = packet.sourceMAC
            destinationMAC = packet.destinationMAC
            source = .linkLocal(of: packet.sourceMAC)
            destination = .linkLocal(of: packet.destinationMAC)
            sourcePort = packet.sourcePort
            destinationPort = packet.destinationPort
            payload = packet.payload
        } else {
            return nil
        }
        // From the port on which reflectors listen nothing is ever a probe.
        if sourcePort == port {
            kind = .reply
        } else if destinationPort == port {
            kind = .probe
        } else {
            return nil
        }
        let packet = frame.extracting(payload)
        guard let sequence = packet.u32(at: 0) else { return nil }
        self.sequence = sequence
        errorEstimate = packet.u16(at: 12).map(ErrorEstimate.init)
        timestamp = errorEstimate == nil ? nil : packet.u64(at: 4)
        ssid = packet.u16(at: 14)
        probeSequence = kind == .probe ? sequence : packet.u32(at: 24)
    }

    /// When its sender says that it sent the packet, by the sender's clock: Unix nanoseconds.
    ///
    /// - Parameter pivot: a time within 68 years of it, which tells the NTP era.
    /// - Returns: `nil` where the packet ends before it, or has no timestamp of the format that it names.
    public func sent(near pivot: Int64) -> Int64? {
        guard let timestamp, let errorEstimate else { return nil }
        return decodeTimestamp(timestamp, isPTP: errorEstimate.isPTP, near: pivot)
    }
}
