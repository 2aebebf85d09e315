import NetworkAddresses

/// A STAMP packet in a frame, recognised by its ports alone. The frame may be partial, so it suits what third parties,
/// such as the kernel's packet sampler, capture of a session.
///
/// The packet is in UDP over IPv4 or IPv6, or without IP (``L2Frame``), with at most one 802.1Q tag. UDP checksums are
/// not verified, because the NIC fills them in on transmit.
public struct STAMPFrame: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// A packet to a reflector's port.
        case probe
        /// A packet from a reflector's port.
        case reply
    }

    public var kind: Kind
    /// True if the packet is in UDP over IP.
    public var hasIP: Bool
    public var sourceMAC: MACAddress
    public var destinationMAC: MACAddress
    /// Without IP: the link-local address formed from the station's MAC address, as in a session.
    public var source: IPAddress
    public var destination: IPAddress
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// The packet's sequence number; in a reply, the reflector's.
    public var sequence: UInt32
    /// The sequence number of the probe, or of the probe that a reply answers; nil in a reply that ends before it.
    public var probeSequence: UInt32?
    /// The packet's transmit timestamp as on the wire, and its error estimate; nil if the packet ends before them.
    public var timestamp: UInt64?
    public var errorEstimate: ErrorEstimate?
    /// 0: no SSID; nil if the packet ends before it.
    public var ssid: UInt16?

    /// Decodes a frame.
    ///
    /// - Parameters:
    ///   - frame: the bytes from the destination MAC address, without the frame check sequence.
    ///   - wholeLength: the original frame's length, if `frame` may be only its beginning.
    ///   - port: the port on which reflectors listen.
    /// - Returns: `nil` if the frame carries no STAMP packet or ends before its sequence number.
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
        // A packet from the port on which reflectors listen is never a probe.
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

    /// Returns the packet's transmit time according to its sender, in Unix nanoseconds of the sender's clock.
    ///
    /// - Parameter pivot: a time within 68 years of it, which selects the NTP era.
    /// - Returns: `nil` if the packet ends before the timestamp, or if it is invalid in the format that it names.
    public func sent(near pivot: Int64) -> Int64? {
        guard let timestamp, let errorEstimate else { return nil }
        return decodeTimestamp(timestamp, isPTP: errorEstimate.isPTP, near: pivot)
    }
}
