import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The headers of STAMP packets on each transport.
extension Endpoint {
    /// True if packets have an IP header, and so a TTL and a DSCP.
    var hasIP: Bool { transport != .l2 }

    /// The length of all headers on the wire in bytes, also over an ordinary socket, without a VLAN tag.
    var headerBytes: Int { 14 + (hasIP ? (isIPv4 ? 20 : 40) + 8 : setting.ethernet.shape.overhead) }

    /// The headers of a session's probes.
    func probeHeaders(
        source: IPAddress, peer: SocketAddress, nextHop: MACAddress, hopLimit: UInt8, dscp: UInt8
    ) -> PacketHeaders {
        switch transport {
        case .packet:
            .udp(
                UDPFrameTemplate(
                    destinationMAC: nextHop, sourceMAC: interface.macAddress, source: source,
                    destination: peer.address, sourcePort: port, destinationPort: peer.port, hopLimit: hopLimit,
                    dscp: dscp))
        case .l2:
            .l2(
                L2FrameTemplate(
                    destinationMAC: nextHop, sourceMAC: interface.macAddress, vlan: setting.ethernet.tag,
                    shape: setting.ethernet.shape, sourcePort: port, destinationPort: peer.port))
        case .udp: .kernel(bytes: headerBytes)
        }
    }

    /// The headers of the reply to a packet: to its sender, in its VLAN and with its priority.
    func replyHeaders(to arrival: Arrival) -> PacketHeaders {
        switch transport {
        case .packet:
            .udp(
                UDPFrameTemplate(
                    destinationMAC: arrival.sourceMAC ?? .zero, sourceMAC: interface.macAddress, vlan: arrival.vlan,
                    source: arrival.destination, destination: arrival.source.address, sourcePort: port,
                    destinationPort: arrival.source.port))
        case .l2:
            .l2(
                L2FrameTemplate(
                    destinationMAC: arrival.sourceMAC ?? .zero,
                    sourceMAC: arrival.destinationMAC ?? interface.macAddress, vlan: arrival.vlan,
                    shape: setting.ethernet.shape, sourcePort: port, destinationPort: arrival.source.port))
        case .udp: .kernel(bytes: headerBytes)
        }
    }

    /// Decodes the headers of a received packet or, over an ordinary socket, reads its control messages.
    func arrival(of bytes: RawSpan, _ packet: borrowing ReceivedPacket) throws(FrameError) -> Arrival {
        let tag = packet.vlanTag.map { VLANTag(controlInformation: $0) }
        switch transport {
        case .packet:
            let frame = try UDPFrame(decoding: bytes, verifyChecksum: !packet.isChecksumPending)
            return Arrival(
                payload: frame.payload, frameBytes: headerBytes + frame.payload.count,
                source: SocketAddress(frame.source, port: frame.sourcePort), destination: frame.destination,
                sourceMAC: frame.sourceMAC, destinationMAC: frame.destinationMAC, vlan: tag ?? frame.vlan,
                hopLimit: frame.hopLimit, dscp: frame.dscp, ecn: frame.ecn)
        case .l2:
            let frame = try L2Frame(decoding: bytes)
            return Arrival(
                payload: frame.payload, frameBytes: frame.length + (tag == nil ? 0 : 4),
                source: SocketAddress(.linkLocal(of: frame.sourceMAC), port: frame.sourcePort),
                destination: .linkLocal(of: frame.destinationMAC), sourceMAC: frame.sourceMAC,
                destinationMAC: frame.destinationMAC, vlan: tag ?? frame.vlan, hopLimit: 0, dscp: 0, ecn: 0)
        case .udp:
            guard let source = packet.source, let local = packet.localAddress else { throw .badHeader }
            let trafficClass = packet.trafficClass ?? 0
            return Arrival(
                payload: 0..<bytes.byteCount, frameBytes: headerBytes + bytes.byteCount, source: source,
                destination: local, sourceMAC: nil, destinationMAC: nil, vlan: nil, hopLimit: packet.hopLimit ?? 0,
                dscp: trafficClass >> 2, ecn: trafficClass & 3)
        }
    }
}
