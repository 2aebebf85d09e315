import STAMPWire
import Testing

@Suite("Base packets")
struct BasePacketTests {
    /// Written by hand from RFC 8762 section 4.2.1: T1 is 1700000000.123456789 s, in NTP format.
    static let sender = hex(
        """
        00000102 e8fe6f80 1f9add38 8f85 a55a
        00000000 00000000 00000000 00000000 00000000 00000000 00000000
        """)
    /// Written by hand from RFC 8762 section 4.3.1: T3 and T2 in NTP format, T1 in PTP format.
    static let reflector = hex(
        """
        01020304 e8fe6f80 80000000 8f85 a55a
        e8fe6f80 1f9add38 00000102 6553f100 075bcd15 c901 0000 3f 000000
        """)
    static let pivot: Int64 = 1_800_000_000_000_000_000

    @Test("Every field of a sender packet is at its offset from RFC 8762 section 4.2.1")
    func decodeSender() throws {
        let packet = try #require(SenderPacket(bytes: Self.sender))
        #expect(packet.sequence == 0x102)
        #expect(packet.timestamp == 0xE8FE_6F80_1F9A_DD38)
        #expect(packet.timestampNanoseconds(near: Self.pivot) == 1_700_000_000_123_456_789)
        #expect(packet.errorEstimate == ErrorEstimate(rawValue: 0x8F85))
        #expect(packet.ssid == 0xA55A)
    }

    @Test("A sender packet is written as in RFC 8762 section 4.2.1, including its zeros")
    func encodeSender() {
        let packet = SenderPacket(
            sequence: 0x102, timestampNanoseconds: 1_700_000_000_123_456_789,
            errorEstimate: ErrorEstimate(rawValue: 0x8F85), ssid: 0xA55A)
        let bytes = written(46) { span in packet.write(into: &span) }
        #expect(bytes == Self.sender + [0xEE, 0xEE])
    }

    @Test("A sender packet needs 14 bytes, and its SSID is zero below 16")
    func shortSender() {
        for count in 0...44 {
            let packet = SenderPacket(bytes: Array(Self.sender.prefix(count)))
            #expect((packet == nil) == (count < 14), "\(count)")
            if let packet { #expect(packet.ssid == (count < 16 ? 0 : 0xA55A), "\(count)") }
        }
    }

    @Test("Must-be-zero bytes are ignored")
    func mustBeZero() throws {
        let dirty = Array(Self.sender.prefix(16)) + [UInt8](repeating: 0xFF, count: 28)
        #expect(SenderPacket(bytes: dirty) == SenderPacket(bytes: Self.sender))
        var reply = Self.reflector
        for index in [38, 39, 41, 42, 43] { reply[index] = 0xFF }
        #expect(ReflectorPacket(bytes: reply) == ReflectorPacket(bytes: Self.reflector))
    }

    @Test("Every field of a reflector packet is at its offset from RFC 8762 section 4.3.1")
    func decodeReflector() throws {
        let packet = try #require(ReflectorPacket(bytes: Self.reflector))
        #expect(packet.sequence == 0x0102_0304)
        #expect(packet.transmitTimestamp == 0xE8FE_6F80_8000_0000)
        #expect(packet.errorEstimate == ErrorEstimate(rawValue: 0x8F85))
        #expect(packet.ssid == 0xA55A)
        #expect(packet.receiveTimestamp == 0xE8FE_6F80_1F9A_DD38)
        #expect(packet.senderSequence == 0x102)
        #expect(packet.senderTimestamp == 0x6553_F100_075B_CD15)
        #expect(packet.senderErrorEstimate == ErrorEstimate(rawValue: 0xC901))
        #expect(packet.senderTTL == 63)
    }

    @Test("A reflector packet is written as in RFC 8762 section 4.3.1, including its zeros")
    func encodeReflector() throws {
        let packet = try #require(ReflectorPacket(bytes: Self.reflector))
        let bytes = written(45) { span in packet.write(into: &span) }
        #expect(bytes == Self.reflector + [0xEE])
    }

    @Test("T2 and T3 follow the Z bit of the reflector, T1 that of the sender")
    func formats() throws {
        var packet = try #require(ReflectorPacket(bytes: Self.reflector))
        #expect(packet.transmitNanoseconds(near: Self.pivot) == 1_700_000_000_500_000_000)
        #expect(packet.receiveNanoseconds(near: Self.pivot) == 1_700_000_000_123_456_789)
        #expect(packet.senderNanoseconds(near: Self.pivot) == 1_700_000_000_123_456_789)
        swap(&packet.errorEstimate, &packet.senderErrorEstimate)
        packet.transmitTimestamp = 0x6553_F100_0000_0001
        packet.receiveTimestamp = 0x6553_F100_3B9A_CA00
        packet.senderTimestamp = 0xE8FE_6F80_8000_0000
        #expect(packet.transmitNanoseconds(near: Self.pivot) == 1_700_000_000_000_000_001)
        #expect(packet.receiveNanoseconds(near: Self.pivot) == nil)
        #expect(packet.senderNanoseconds(near: Self.pivot) == 1_700_000_000_500_000_000)
    }

    @Test("A sender packet with the Z bit carries PTP")
    func senderPTP() {
        let packet = SenderPacket(
            sequence: 0, timestampNanoseconds: 1_700_000_000_123_456_789,
            errorEstimate: ErrorEstimate(rawValue: 0x4001), ssid: 0)
        #expect(packet.timestamp == 0x6553_F100_075B_CD15)
        #expect(packet.timestampNanoseconds(near: Self.pivot) == 1_700_000_000_123_456_789)
    }

    @Test("A TWAMP-Light reply needs 38 bytes, and has no TTL below 41")
    func shortReflector() {
        for count in 0...44 {
            let packet = ReflectorPacket(bytes: Array(Self.reflector.prefix(count)))
            #expect((packet == nil) == (count < 38), "\(count)")
            if let packet { #expect(packet.senderTTL == (count < 41 ? nil : 63), "\(count)") }
        }
    }

    @Test("Nothing is written if 44 bytes do not fit")
    func noRoom() throws {
        let sender = try #require(SenderPacket(bytes: Self.sender))
        let reflector = try #require(ReflectorPacket(bytes: Self.reflector))
        for count in [0, 1, 43] {
            let bytes = written(count) { span in !sender.write(into: &span) && !reflector.write(into: &span) }
            #expect(bytes.allSatisfy { $0 == 0xEE })
        }
    }
}
