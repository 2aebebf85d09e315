import FastAFPacket
import LinuxKernel
import STAMPWire

/// The transport of test packets: `--transport`.
enum Transport: String, CaseIterable, Sendable {
    /// AF_PACKET: whole frames, all timestamps.
    case packet
    /// An ordinary UDP socket, which needs no privilege for ports above 1023.
    case udp
    /// AF_PACKET without IP: plain Ethernet frames, all timestamps.
    case l2

    /// True if packets have an IP header, and so a TTL and a DSCP.
    var hasIP: Bool { self != .l2 }
}

/// The settings that all sockets of an endpoint share.
struct EndpointSetting: Sendable {
    var transport: Transport
    var interface: Interface
    var stamps: StampChoice
    var hopLimit: UInt8 = 255
    var ethernet = EthernetSetting()

    /// True if the frames are PTP event messages.
    var isPTP: Bool { transport == .l2 && ethernet.shape == .ptp }

    /// The size of a receive buffer in bytes: a whole frame of the interface's MTU, tag included, or the largest
    /// datagram.
    var packetBytes: Int { transport == .udp ? 65535 : max(2048, interface.mtu + 18) }

    /// The length of all headers on the wire in bytes, also over an ordinary socket, without a VLAN tag.
    func headerBytes(isIPv4: Bool) -> Int {
        14 + (transport.hasIP ? (isIPv4 ? 20 : 40) + 8 : ethernet.shape.overhead)
    }
}
