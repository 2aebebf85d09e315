import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The headers of STAMP packets on each transport.
extension EndpointSocket {
    /// The headers of a session's probes.
    func probeHeaders(
        source: IPAddress, port: UInt16, peer: SocketAddress, nextHop: MACAddress, dscp: UInt8
    ) -> PacketHeaders {
        switch transport {
        case .packet:
            .udp(
                UDPFrameTemplate(
                    destinationMAC: nextHop, sourceMAC: setting.interface.macAddress, source: source,
                    destination: peer.address, sourcePort: port, destinationPort: peer.port,
                    hopLimit: setting.hopLimit, dscp: dscp))
        case .l2:
            .l2(
                L2FrameTemplate(
                    destinationMAC: nextHop, sourceMAC: setting.interface.macAddress, vlan: setting.ethernet.tag,
                    shape: setting.ethernet.shape, sourcePort: port, destinationPort: peer.port))
        case .udp: .kernel(bytes: headerBytes)
        }
    }

    /// The headers of the reply to a packet: to its sender, in its VLAN and with its priority.
    func replyHeaders(to received: ReceivedHeaders) -> PacketHeaders {
        switch transport {
        case .packet:
            .udp(
                UDPFrameTemplate(
                    destinationMAC: received.sourceMAC ?? .zero, sourceMAC: setting.interface.macAddress,
                    vlan: received.vlan, source: received.destination, destination: received.source.address,
                    sourcePort: ports.lowerBound, destinationPort: received.source.port))
        case .l2:
            .l2(
                L2FrameTemplate(
                    destinationMAC: received.sourceMAC ?? .zero,
                    sourceMAC: received.destinationMAC ?? setting.interface.macAddress, vlan: received.vlan,
                    shape: setting.ethernet.shape, sourcePort: ports.lowerBound,
                    destinationPort: received.source.port))
        case .udp: .kernel(bytes: headerBytes)
        }
    }

    /// Decodes the headers of a received packet or, over an ordinary socket, reads its control messages.
    func headers(of bytes: RawSpan, _ packet: borrowing ReceivedPacket) throws(FrameError) -> ReceivedHeaders {
        let tag = packet.vlanTag.map { VLANTag(controlInformation: $0) }
        switch transport {
        case .packet:
            let frame = try UDPFrame(decoding: bytes, verifyChecksum: !packet.isChecksumPending)
            return ReceivedHeaders(
                payload: frame.payload, frameBytes: headerBytes + frame.payload.count,
                source: SocketAddress(frame.source, port: frame.sourcePort), destination: frame.destination,
                destinationPort: frame.destinationPort, sourceMAC: frame.sourceMAC,
                destinationMAC: frame.destinationMAC, vlan: tag ?? frame.vlan, hopLimit: frame.hopLimit,
                dscp: frame.dscp, ecn: frame.ecn)
        case .l2:
            let frame = try L2Frame(decoding: bytes)
            return ReceivedHeaders(
                payload: frame.payload, frameBytes: frame.length + (tag == nil ? 0 : 4),
                source: SocketAddress(.linkLocal(of: frame.sourceMAC), port: frame.sourcePort),
                destination: .linkLocal(of: frame.destinationMAC), destinationPort: frame.destinationPort,
                sourceMAC: frame.sourceMAC, destinationMAC: frame.destinationMAC, vlan: tag ?? frame.vlan,
                hopLimit: 0, dscp: 0, ecn: 0)
        case .udp:
            guard let source = packet.source, let local = packet.localAddress else { throw .badHeader }
            let trafficClass = packet.trafficClass ?? 0
            return ReceivedHeaders(
                payload: 0..<bytes.byteCount, frameBytes: headerBytes + bytes.byteCount, source: source,
                destination: local, destinationPort: ports.lowerBound, sourceMAC: nil, destinationMAC: nil, vlan: nil,
                hopLimit: packet.hopLimit ?? 0, dscp: trafficClass >> 2, ecn: trafficClass & 3)
        }
    }
}
