import STAMPWire
import Testing

/// The reflector's input in these tests.
let replyContext = ReplyContext(
    sequence: 0x0102_0304, receiveNanoseconds: 1_700_000_000_123_456_789,
    transmitNanoseconds: 1_700_000_000_500_000_000, errorEstimate: ErrorEstimate(rawValue: 0x8F85), ttl: 63, dscp: 10,
    ecn: 1, syncSource: SynchronizationSource.ptp, receiveMethod: TimestampingMethod.hardwareAssist,
    transmitMethod: TimestampingMethod.softwareLocal)

func reply(
    to probe: [UInt8], room: Int? = nil, _ context: ReplyContext = replyContext
) -> (result: ReplyResult?, bytes: [UInt8]) {
    var bytes = [UInt8](repeating: 0xEE, count: room ?? max(probe.count, 44))
    let result = edit(&bytes) { span in writeReply(to: probe.span.bytes, into: &span, context: context) }
    return (result, bytes)
}

@Suite("Replies: the base packet")
struct ReplyTests {
    /// T1 is 1700000000.123456789 s, in NTP format.
    private let probe = BasePacketTests.sender
    private let expected = hex(
        """
        01020304 e8fe6f80 80000000 8f85 a55a
        e8fe6f80 1f9add38 00000102 e8fe6f80 1f9add38 8f85 0000 3f 000000
        """)

    @Test("A base probe gets the base reply, byte for byte")
    func base() {
        let (result, bytes) = reply(to: probe)
        #expect(bytes == expected)
        #expect(result == ReplyResult(length: 44, replyDSCP: 10, probePaired: nil))
    }

    @Test("Bytes after the reply are unchanged")
    func excess() {
        let (result, bytes) = reply(to: probe, room: 50)
        #expect(result?.length == 44)
        #expect(bytes == expected + [UInt8](repeating: 0xEE, count: 6))
    }

    @Test("A probe shorter than the base packet gets 44 bytes, with missing bytes read as zero", arguments: 14..<44)
    func short(count: Int) {
        let (result, bytes) = reply(to: Array(probe.prefix(count)))
        var shortened = expected
        if count < 16 {
            shortened[14] = 0
            shortened[15] = 0
        }
        #expect(result?.length == 44)
        #expect(bytes == shortened)
    }

    @Test("A probe under 14 bytes gets no reply, and nothing is written", arguments: 0..<14)
    func tooShort(count: Int) {
        let (result, bytes) = reply(to: Array(probe.prefix(count)))
        #expect(result == nil)
        #expect(bytes.allSatisfy { $0 == 0xEE })
    }

    @Test("Nothing is written if the reply does not fit")
    func noRoom() {
        for (probe, room) in [(probe, 43), (Array(probe.prefix(14)), 43), (probe + hex("80 01 0000"), 47), (probe, 0)] {
            let (result, bytes) = reply(to: probe, room: room)
            #expect(result == nil)
            #expect(bytes.allSatisfy { $0 == 0xEE })
        }
    }

    @Test("Must-be-zero bytes of the probe are not reflected")
    func mustBeZero() {
        let dirty = Array(probe.prefix(16)) + [UInt8](repeating: 0xFF, count: 28)
        #expect(reply(to: dirty).bytes == expected)
    }

    @Test("The sender's timestamp and error estimate are reflected unchanged, whatever their values")
    func opaque() {
        var odd = probe
        odd.replaceSubrange(4..<14, with: hex("ffffffff ffffffff 4000"))
        let bytes = reply(to: odd).bytes
        #expect(Array(bytes[28..<38]) == hex("ffffffff ffffffff 4000"))
        #expect(Array(bytes[0..<28]) == Array(expected[0..<28]))
    }

    @Test("With the Z bit in the reflector's error estimate, T2 and T3 are PTP")
    func ptp() {
        var context = replyContext
        context.errorEstimate = ErrorEstimate(rawValue: 0x4001)
        let bytes = reply(to: probe, context).bytes
        #expect(Array(bytes[4..<14]) == hex("6553f100 1dcd6500 4001"))
        #expect(Array(bytes[16..<24]) == hex("6553f100 075bcd15"))
    }

    @Test("The padding of a TWAMP-Light probe is reflected unchanged", arguments: [1, 2, 3, 4, 5, 100])
    func zeroPadding(count: Int) {
        let padding = [UInt8](repeating: 0, count: count)
        let (result, bytes) = reply(to: probe + padding)
        #expect(result?.length == 44 + count)
        #expect(bytes == expected + padding)
    }
}
