/// Fields of a UDP frame, read by the offsets of RFC 791, 8200, 768 and 8762, independently of the library under test.
struct WireFrame {
    enum Kind { case probe, reply }

    let kind: Kind
    /// The session-sender's sequence number, of probes and of replies.
    let sequence: UInt32
    let dscp: UInt8
    let hopLimit: UInt8
    /// Bytes of UDP payload, from the UDP header's length.
    let payloadLength: Int
    let sourcePort: UInt16
    let destinationPort: UInt16
    let destinationMAC: [UInt8]

    /// Returns `nil` for a frame that is not UDP to or from `port`, or that is both.
    init?(_ bytes: [UInt8], port: UInt16 = 862) {
        func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        guard bytes.count >= 14 + 20 + 8 + 44 else { return nil }
        let udp: Int
        switch word(12) {
        case 0x0800 where bytes[23] == 17:
            udp = 14 + Int(bytes[14] & 15) * 4
            dscp = bytes[15] >> 2
            hopLimit = bytes[22]
        case 0x86dd where bytes[20] == 17:
            udp = 14 + 40
            dscp = UInt8(truncatingIfNeeded: word(14) >> 6) & 63
            hopLimit = bytes[21]
        default: return nil
        }
        guard bytes.count >= udp + 8 + 44 else { return nil }
        destinationMAC = Array(bytes[..<6])
        sourcePort = word(udp)
        destinationPort = word(udp + 2)
        payloadLength = Int(word(udp + 4)) - 8
        guard (sourcePort == port) != (destinationPort == port) else { return nil }
        kind = destinationPort == port ? .probe : .reply
        let offset = udp + 8 + (kind == .probe ? 0 : 24)
        sequence = UInt32(word(offset)) << 16 | UInt32(word(offset + 2))
    }
}
