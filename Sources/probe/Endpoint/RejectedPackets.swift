import STAMPSession
import STAMPWire

/// Counts of packets of one role that were received and rejected, by reason.
struct RejectedPackets: Sendable {
    /// Longer than the receive buffer, and so truncated.
    var truncated: UInt64 = 0
    /// A wrong checksum.
    var corrupt: UInt64 = 0
    /// Not a whole, unfragmented UDP datagram; without IP, not one of probe's frames.
    var malformed: UInt64 = 0
    /// Shorter than any STAMP packet.
    var short: UInt64 = 0
    /// From another address or port than a peer's, or with a send time that was never used.
    var stray: UInt64 = 0
    /// With another session's SSID.
    var wrongSession: UInt64 = 0

    mutating func count(_ error: FrameError) {
        switch error {
        case .badChecksum, .badHeaderChecksum: corrupt &+= 1
        case .short, .notIP, .notUDP, .fragment, .badHeader, .truncated, .notL2: malformed &+= 1
        }
    }

    /// Adds the replies that a session rejected.
    mutating func add(_ replies: RejectedReplies) {
        short &+= replies.short
        stray &+= replies.stray
        wrongSession &+= replies.wrongSession
    }

    var named: [(name: String, value: UInt64)] {
        [
            ("truncated", truncated), ("corrupt", corrupt), ("malformed", malformed), ("short", short),
            ("stray", stray), ("wrong_session", wrongSession),
        ]
    }
}
