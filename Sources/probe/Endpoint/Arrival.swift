import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The addresses and header fields of one received STAMP packet, for all transports.
struct Arrival {
    /// The STAMP packet's range in the received bytes.
    var payload: Range<Int>
    /// The length of the whole frame on the wire in bytes, VLAN tag included.
    var frameBytes: Int
    /// The sender's address and port. Without IP, the link-local addresses derived from the MAC addresses stand in:
    /// they identify the station.
    var source: SocketAddress
    /// The address that the packet was sent to.
    var destination: IPAddress
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

/// Counts of received packets that were rejected, by reason.
struct RejectedPackets {
    /// Longer than the receive buffer, and so truncated.
    var truncated: UInt64 = 0
    /// A wrong checksum.
    var corrupt: UInt64 = 0
    /// Not a whole, unfragmented UDP datagram; without IP, not one of probe's frames.
    var malformed: UInt64 = 0
    /// Shorter than any STAMP packet.
    var short: UInt64 = 0
    /// From another address or port than the peer's, or with a send time that was never used.
    var stray: UInt64 = 0
    /// With another session's SSID.
    var wrongSession: UInt64 = 0

    mutating func count(_ error: FrameError) {
        switch error {
        case .badChecksum, .badHeaderChecksum: corrupt &+= 1
        case .short, .notIP, .notUDP, .fragment, .badHeader, .truncated, .notL2: malformed &+= 1
        }
    }

    mutating func add(_ other: RejectedPackets) {
        truncated &+= other.truncated
        corrupt &+= other.corrupt
        malformed &+= other.malformed
        short &+= other.short
        stray &+= other.stray
        wrongSession &+= other.wrongSession
    }

    var named: [(name: String, value: UInt64)] {
        [
            ("truncated", truncated), ("corrupt", corrupt), ("malformed", malformed), ("short", short),
            ("stray", stray), ("wrong_session", wrongSession),
        ]
    }
}
