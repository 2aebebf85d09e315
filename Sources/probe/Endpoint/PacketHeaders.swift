import NetworkAddresses
import STAMPWire

/// The headers that a link puts in front of a STAMP packet: one value for all transports, which packet threads copy
/// and write without allocating.
enum PacketHeaders {
    /// The kernel writes them: so many bytes on the wire.
    case kernel(bytes: Int)
    case udp(UDPFrameTemplate)
    case l2(L2FrameTemplate)

    /// Where the packet begins in what the kernel is handed.
    var offset: Int {
        switch self {
        case .kernel: 0
        case .udp(let template): template.headerLength
        case .l2(let template): template.headerLength
        }
    }

    /// Bytes of the whole frame on the wire.
    func frameBytes(payload: Int) -> Int {
        switch self {
        case .kernel(let bytes): bytes + payload
        case .udp(let template): template.headerLength + payload
        case .l2(let template): template.frameLength(payloadLength: payload)
        }
    }

    /// The neighbour that frames go to; zero where the kernel finds it.
    var destinationMAC: MACAddress {
        get {
            switch self {
            case .kernel: .zero
            case .udp(let template): template.destinationMAC
            case .l2(let template): template.destinationMAC
            }
        }
        set {
            switch self {
            case .kernel: break
            case .udp(var template):
                template.destinationMAC = newValue
                self = .udp(template)
            case .l2(var template):
                template.destinationMAC = newValue
                self = .l2(template)
            }
        }
    }

    /// The same headers with another DSCP, where they have one.
    func marked(dscp: UInt8) -> PacketHeaders {
        guard case .udp(var template) = self else { return self }
        template.dscp = dscp
        return .udp(template)
    }

    /// Writes all that does not depend on the packet's bytes.
    ///
    /// - Parameter sequence: what tells this packet from the ones around it, by its low 16 bits: those of replies have
    ///   the highest set, since probes leave from the same address.
    /// - Returns: false, and nothing written, where they do not fit.
    func write(into frame: inout MutableRawSpan, payload: Int, sequence: UInt32) -> Bool {
        switch self {
        case .kernel: payload <= frame.byteCount
        case .udp(let template): template.writeHeaders(into: &frame, payloadLength: payload)
        case .l2(let template):
            template.writeHeaders(
                into: &frame, payloadLength: payload, sequence: UInt16(truncatingIfNeeded: sequence))
        }
    }

    /// Writes what depends on the packet, which must be final.
    ///
    /// - Returns: how many bytes to hand to the kernel.
    func finish(_ frame: inout MutableRawSpan, payload: Int) -> Int {
        switch self {
        case .kernel: return payload
        case .udp(let template):
            template.writeChecksum(into: &frame, payloadLength: payload)
            return template.headerLength + payload
        case .l2(let template): return template.frameLength(payloadLength: payload)
        }
    }
}
