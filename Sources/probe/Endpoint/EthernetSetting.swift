import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The shape of frames without IP, and the senders that are accepted.
struct EthernetSetting: Sendable {
    var shape = L2FrameShape.ordinary
    /// The VLAN tag of probes. A reply carries its probe's tag.
    var tag: VLANTag?
    /// The only accepted sender; `nil` accepts all.
    var peer: MACAddress?

    /// The VLAN to receive from; 0 for untagged frames.
    var vlan: UInt16 { tag?.identifier ?? 0 }

    /// ETH_P_ALL: on a socket for a single ethertype, the kernel has already removed the tag.
    static let allEtherTypes: UInt16 = 3

    /// The libpcap expression for STAMP frames to some ports.
    func expression(ports: ClosedRange<UInt16>, from peerPort: UInt16? = nil) -> String {
        let start = L2Header.offset(in: shape)
        let place = start + L2Header.portsOffset
        let destination =
            ports.count == 1
            ? " and ether[\(place + 2):2] = \(ports.lowerBound)"
            : " and ether[\(place + 2):2] >= \(ports.lowerBound) and ether[\(place + 2):2] <= \(ports.upperBound)"
        return "ether proto \(shape.etherType)"
            + (peer.map { " and ether src \($0)" } ?? "")
            + " and ether[\(start):4] = \(L2Header.magic)"
            + (peerPort.map { " and ether[\(place):2] = \($0)" } ?? "")
            + destination
    }

    /// The filter for STAMP frames to some ports of this host, in the VLAN to receive from.
    func filter(ports: ClosedRange<UInt16>, from peerPort: UInt16? = nil) throws(ProbeError) -> Filter {
        do throws(FilterError) {
            return try Filter(expression: expression(ports: ports, from: peerPort)).onlyVLAN(vlan).onlyToThisHost()
        } catch {
            throw .internalFault("\(error)")
        }
    }
}
