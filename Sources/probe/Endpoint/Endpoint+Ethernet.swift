import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// Endpoints without IP.
extension Endpoint {
    /// The shape of frames without IP, and the senders that are accepted.
    struct Ethernet: Sendable {
        var shape = L2FrameShape.ordinary
        /// The VLAN tag of probes. A reply carries its probe's tag.
        var tag: VLANTag?
        /// The only accepted sender; `nil` accepts all.
        var peer: MACAddress?

        /// The VLAN to receive from; 0 for untagged frames.
        var vlan: UInt16 { tag?.identifier ?? 0 }

        /// The libpcap expression for STAMP frames to one port.
        func expression(port: UInt16, from peerPort: UInt16? = nil) -> String {
            let start = L2Header.offset(in: shape)
            let ports = start + L2Header.portsOffset
            return "ether proto \(shape.etherType)"
                + (peer.map { " and ether src \($0)" } ?? "")
                + " and ether[\(start):4] = \(L2Header.magic)"
                + (peerPort.map { " and ether[\(ports):2] = \($0)" } ?? "")
                + " and ether[\(ports + 2):2] = \(port)"
        }

        /// The filter for STAMP frames to one port of this host, in the VLAN to receive from.
        func filter(port: UInt16, from peerPort: UInt16? = nil) throws(ProbeError) -> Filter {
            do throws(FilterError) {
                return try Filter(expression: expression(port: port, from: peerPort))
                    .onlyVLAN(vlan).onlyToThisHost()
            } catch {
                throw .internalFault("\(error)")
            }
        }
    }

    static func ethernetSender(_ setting: Setting, peerPort: UInt16) throws(ProbeError) -> Endpoint {
        let reservation = try reserveFreePort(isIPv4: true, setting.interface)
        let filter = try setting.ethernet.filter(port: reservation.port, from: peerPort)
        return try ethernet(setting, reservation, filter)
    }

    static func ethernetReflector(_ setting: Setting, port: UInt16) throws(ProbeError) -> Endpoint {
        // This socket receives nothing, but a second instance finds the port in use.
        let reservation = try reservePort(port, isIPv4: true, setting.interface)
        return try ethernet(setting, reservation, setting.ethernet.filter(port: port))
    }

    private static func ethernet(
        _ setting: Setting, _ reservation: consuming PortReservation, _ filter: Filter
    ) throws(ProbeError) -> Endpoint {
        let port = reservation.port
        // All ethertypes: on a socket for a single one, the kernel has already removed the tag.
        let conn = try listen(setting, port: port, etherType: 3, filter)
        return Endpoint(conn, setting, port: port, isIPv4: true, reservation: reservation)
    }
}
