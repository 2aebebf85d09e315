import NetworkAddresses
import STAMPWire
import Testing

/// Converts hexadecimal digits to bytes and ignores blanks and line ends.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { byte in UInt8(String(UnicodeScalar(byte)), radix: 16) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A generator with the same sequence in every run (SplitMix64), so that a failure can be reproduced.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Computes the checksum of RFC 1071 in its simplest form, as a reference for the fast one.
func plainSum(_ bytes: [UInt8]) -> UInt16 {
    var sum = 0
    for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return UInt16(sum)
}

func decodeFrame(_ bytes: [UInt8], verifyChecksum: Bool = true) -> Result<UDPFrame, FrameError> {
    do throws(FrameError) {
        return .success(try UDPFrame(decoding: bytes.span.bytes, verifyChecksum: verifyChecksum))
    } catch {
        return .failure(error)
    }
}

func frameError(_ bytes: [UInt8], verifyChecksum: Bool = true) -> FrameError? {
    guard case .failure(let error) = decodeFrame(bytes, verifyChecksum: verifyChecksum) else { return nil }
    return error
}

/// Returns a buffer of filler bytes after `body` has written to it, and expects `body` to return true. (The macros of
/// Testing cannot capture spans, so spans stay out of them.)
func written(
    _ count: Int, filler: UInt8 = 0xEE, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (inout MutableRawSpan) -> Bool
) -> [UInt8] {
    var bytes = [UInt8](repeating: filler, count: count)
    let isRight = edit(&bytes, body)
    #expect(isRight, sourceLocation: sourceLocation)
    return bytes
}

func edit<Result>(_ bytes: inout [UInt8], _ body: (inout MutableRawSpan) -> Result) -> Result {
    var elements = bytes.mutableSpan
    var span = elements.mutableBytes
    return body(&span)
}

extension SenderPacket {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

extension ReflectorPacket {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

extension TimestampInformation {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

extension ClassOfService {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

extension FollowUp {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

extension PairedTimestamps {
    init?(bytes: [UInt8]) { self.init(decoding: bytes.span.bytes) }
}

func tlvs(in packet: [UInt8], from offset: Int = 44) -> [TLV] {
    var found: [TLV] = []
    forEachTLV(in: packet.span.bytes, from: offset) { found.append($0) }
    return found
}

/// Sets the IPv4 header checksum after a change to the header, so that a test sees only the change.
func fixHeaderChecksum(_ frame: inout [UInt8], at start: Int = 14) {
    let end = min(start + Int(frame[start] & 0xF) * 4, frame.count)
    frame[start + 10] = 0
    frame[start + 11] = 0
    let sum = ~plainSum(Array(frame[start..<end]))
    frame[start + 10] = UInt8(sum >> 8)
    frame[start + 11] = UInt8(sum & 0xFF)
}

/// Frames written by hand, with independently computed checksums. All go from port 49153 to 862 with DSCP 46 and ECN 1.
enum Golden {
    static let ipv4 = hex(
        """
        021122334455 02aabbccddee 0800
        45 b9 001f 0000 4000 3f 11 4ede c0000201 c6336402
        c001 035e 000b 4c3f 010203
        """)
    static let ipv4Tagged = hex(
        """
        021122334455 02aabbccddee 8100 b064 0800
        45 b9 001f 0000 4000 3f 11 4ede c0000201 c6336402
        c001 035e 000b 4c3f 010203
        """)
    /// With a router alert option.
    static let ipv4Options = hex(
        """
        021122334455 02aabbccddee 0800
        46 b9 0025 0000 4000 3f 11 b9d3 c0000201 c6336402 94040000
        c001 035e 000d 0c6b 68656c6c6f
        """)
    static let ipv6 = hex(
        """
        021122334455 02aabbccddee 86dd
        6b900000 000b 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002
        c001 035e 000b dd01 010203
        """)
    /// With hop-by-hop options, destination options, and a routing header of 24 bytes without segments left.
    static let ipv6Extended =
        hex(
            """
            021122334455 02aabbccddee 86dd
            6b900000 0033 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002
            3c00 0104 00000000
            2b00 0104 00000000
            1102 0400 0000000000000000000000000000000000000000
            """) + hex("c001 035e 000b dd01 010203")
    static let frames = [ipv4, ipv4Tagged, ipv4Options, ipv6, ipv6Extended]
}
