import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// Links without IP.
extension Endpoint {
    /// What frames without IP look like, and from whom they are taken.
    struct Ethernet: Sendable {
        var shape = L2FrameShape.ordinary
        /// The tag of what is sent by ourselves; replies carry their probe's.
        var tag: VLANTag?
        /// `nil`: from anybody.
        var peer: MACAddress?

        /// The VLAN that is listened to; 0: none.
        var vlan: UInt16 { tag?.identifier ?? 0 }

        /// The libpcap expression for frames of ours to one port.
        func expression(port: UInt16, from peerPort: UInt16? = nil) -> String {
            let start = L2Header.offset(in: shape)
            let ports = start + L2Header.portsOffset
            return "ether proto \(shape.etherType)"
                + (peer.map { " and ether src \($0)" } ?? "")
                + " and ether[\(start):4] = \(L2Header.magic)"
                + (peerPort.map { " and ether[\(ports):2] = \($0)" } ?? "")
                + " and ether[\(ports + 2):2] = \(port)"
        }

        /// The frames of ours to one port that are for this host, in the VLAN that is listened to.
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
        let holder = try reserveFreePort(isIPv4: true, setting.interface)
        let filter = try setting.ethernet.filter(port: holder.port, from: peerPort)
        return try ethernet(setting, holder, filter)
    }

    static func ethernetReflector(_ setting: Setting, port: UInt16) throws(ProbeError) -> Endpoint {
        // Nothing arrives at that socket, but a second instance finds the port taken.
        let holder = try reservePort(port, isIPv4: true, setting.interface)
        return try ethernet(setting, holder, setting.ethernet.filter(port: port))
    }

    private static func ethernet(
        _ setting: Setting, _ holder: consuming PortReservation, _ filter: Filter
    ) throws(ProbeError) -> Endpoint {
        let port = holder.port
        // All ethertypes: on a socket for one of them the kernel has dropped the tag already.
        let conn = try listen(setting, port: port, etherType: 3, filter)
        return Endpoint(conn, setting, port: port, isIPv4: true, holder: holder)
    }
}
