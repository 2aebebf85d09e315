import NetworkAddresses
import STAMPWire

/// The headers in front of a STAMP packet. One type serves all transports; packet threads copy and write it without
/// allocating.
enum PacketHeaders {
    /// Headers that the kernel writes, with their length on the wire.
    case kernel(bytes: Int)
    case udp(UDPFrameTemplate)
    case l2(L2FrameTemplate)

    /// The offset of the STAMP packet in the bytes that are passed to the kernel.
    var offset: Int {
        switch self {
        case .kernel: 0
        case .udp(let template): template.headerLength
        case .l2(let template): template.headerLength
        }
    }

    /// Returns the length of the whole frame on the wire, in bytes.
    func frameBytes(payload: Int) -> Int {
        switch self {
        case .kernel(let bytes): bytes + payload
        case .udp(let template): template.headerLength + payload
        case .l2(let template): template.frameLength(payloadLength: payload)
        }
    }

    /// The MAC address of the next hop; zero if the kernel resolves it.
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

    /// Returns the headers with another DSCP, or unchanged if they have none.
    func marked(dscp: UInt8) -> PacketHeaders {
        guard case .udp(var template) = self else { return self }
        template.dscp = dscp
        return .udp(template)
    }

    /// Writes the header fields that do not depend on the packet's bytes.
    ///
    /// - Parameter sequence: a number whose low 16 bits identify the packet among its neighbours. Replies set the
    ///   highest of these bits, since probes leave from the same address.
    /// - Returns: false if the headers do not fit; nothing is written then.
    func write(into frame: inout MutableRawSpan, payload: Int, sequence: UInt32) -> Bool {
        switch self {
        case .kernel: payload <= frame.byteCount
        case .udp(let template): template.writeHeaders(into: &frame, payloadLength: payload)
        case .l2(let template):
            template.writeHeaders(
                into: &frame, payloadLength: payload, sequence: UInt16(truncatingIfNeeded: sequence))
        }
    }

    /// Writes the header fields that depend on the packet, which must be final.
    ///
    /// - Returns: the number of bytes to pass to the kernel.
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
