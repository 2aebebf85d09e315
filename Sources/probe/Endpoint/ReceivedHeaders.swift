import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The addresses and header fields of one received STAMP packet, for all transports.
struct ReceivedHeaders {
    /// The STAMP packet's range in the received bytes.
    var payload: Range<Int>
    /// The length of the whole frame on the wire in bytes, VLAN tag included.
    var frameBytes: Int
    /// The sender's address and port. Without IP, the link-local addresses derived from the MAC addresses stand in:
    /// they identify the station.
    var source: SocketAddress
    /// The address and port that the packet was sent to.
    var destination: IPAddress
    var destinationPort: UInt16
    /// The MAC address of the neighbour that sent the frame; `nil` over an ordinary socket.
    var sourceMAC: MACAddress?
    /// The MAC address that the neighbour sent it to; `nil` over an ordinary socket.
    var destinationMAC: MACAddress?
    var vlan: VLANTag?
    /// The TTL or hop limit. Without IP it is 0, as are `dscp` and `ecn`.
    var hopLimit: UInt8
    var dscp: UInt8
    var ecn: UInt8
}
