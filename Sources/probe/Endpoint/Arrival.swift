import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// One received STAMP packet's surroundings, whichever way it travelled.
struct Arrival {
    /// Where the packet is in the received bytes.
    var payload: Range<Int>
    /// Bytes of the whole frame on the wire, its tag included.
    var frameBytes: Int
    /// Without IP, the link-local addresses that belong to the frame's: they tell one station from another.
    var source: SocketAddress
    /// The address that it was sent to.
    var destination: IPAddress
    /// Of the neighbour that handed it to us; `nil` over an ordinary socket.
    var sourceMAC: MACAddress?
    /// The address that the neighbour sent it to; `nil` over an ordinary socket.
    var destinationMAC: MACAddress?
    var vlan: VLANTag?
    /// 0 without IP, as the two below.
    var hopLimit: UInt8
    var dscp: UInt8
    var ecn: UInt8
}

/// Packets that were received and not used, by reason.
struct RejectedPackets {
    /// Longer than the receive buffer, so cut.
    var truncated: UInt64 = 0
    /// A checksum that does not match.
    var corrupt: UInt64 = 0
    /// Not a whole, unfragmented UDP datagram; without IP, not a frame of ours.
    var malformed: UInt64 = 0
    /// Shorter than any STAMP packet.
    var short: UInt64 = 0
    /// From an address or port that is not the peer's, or with a time that was never sent.
    var stray: UInt64 = 0
    /// Another session's id.
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
