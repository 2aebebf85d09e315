import STAMPWire
import Testing

@Suite("Replies: TLVs")
struct ReplyTLVTests {
    private let base = BasePacketTests.sender

    /// Returns the TLVs of the reply to a base packet with `extensions`.
    private func answer(_ extensions: [UInt8], _ context: ReplyContext = replyContext) -> [UInt8] {
        let (result, bytes) = reply(to: base + extensions, context)
        #expect(result?.length == bytes.count)
        #expect(Array(bytes.prefix(44)) == reply(to: base, context).bytes)
        return Array(bytes.dropFirst(44))
    }

    private func answer(_ extensions: String, _ context: ReplyContext = replyContext) -> [UInt8] {
        answer(hex(extensions), context)
    }

    @Test("Timestamp information is answered with source and method, and U is cleared")
    func timestampInformation() {
        #expect(answer("80 03 0004 00000000") == hex("00 03 0004 02010202"))
    }

    @Test("A follow-up is answered, with its reserved bytes zero")
    func followUp() {
        var context = replyContext
        context.followUp = FollowUp(sequence: 7, timestamp: 0x1122_3344_5566_7788, method: 1)
        let probe = "80 07 0010 ffffffffffffffffffffffffffffffff"
        #expect(answer(probe, context) == hex("00 07 0010 00000007 1122334455667788 01 000000"))
    }

    @Test("Without a follow-up its TLV is zeroed, whatever the probe contains")
    func noFollowUp() {
        #expect(
            answer("80 07 0010 ffffffffffffffffffffffffffffffff")
                == hex("00 07 0010 00000000000000000000000000000000"))
    }

    @Test("A permitted class of service is answered with RP 0 and sets the reply's DSCP")
    func classOfServicePermitted() {
        var context = replyContext
        context.permitsRequestedDSCP = true
        // DSCP1 46 is kept; DSCP2 10 and ECN 1 are as received: 101110 001010 01 00.
        #expect(answer("80 04 0004 b8000000", context) == hex("00 04 0004 b8a4 0000"))
        #expect(reply(to: base + hex("80 04 0004 b8000000"), context).result?.replyDSCP == 46)
    }

    @Test("A rejected class of service is answered with RP 1, and the reply has the probe's DSCP")
    func classOfServiceRefused() {
        #expect(answer("80 04 0004 b8000000") == hex("00 04 0004 b8a5 0000"))
        #expect(reply(to: base + hex("80 04 0004 b8000000")).result?.replyDSCP == 10)
    }

    @Test("The reflector's fields of class of service are overwritten")
    func classOfServiceDirty() {
        #expect(answer("80 04 0004 bfffffff") == hex("00 04 0004 bca5 0000"))
    }

    @Test("The first class of service sets the DSCP, and all are answered")
    func classOfServiceTwice() {
        var context = replyContext
        context.permitsRequestedDSCP = true
        let twice = "80 04 0004 b8000000 80 04 0004 04000000"
        #expect(answer(twice, context) == hex("00 04 0004 b8a40000 00 04 0004 04a40000"))
        #expect(reply(to: base + hex(twice), context).result?.replyDSCP == 46)
    }

    @Test("Extra padding is returned unchanged, with U cleared")
    func padding() {
        #expect(answer("80 01 0005 0102030405") == hex("00 01 0005 0102030405"))
        #expect(answer("80 01 0000") == hex("00 01 0000"))
    }

    @Test(
        "A TLV of an unknown type is returned with U as its only flag and its value unchanged",
        arguments: [0x80, 0x00, 0x7F, 0xFF])
    func unknown(flags: UInt8) {
        for type: UInt8 in [2, 5, 6, 9, 100, 241, 255] {
            let extensions = [flags, type] + hex("0003 aabbcc 80 03 0004 00000000")
            #expect(answer(extensions) == [0x80, type] + hex("0003 aabbcc 00 03 0004 02010202"))
        }
    }

    @Test("Flags that a sender must not set are cleared on a known TLV")
    func dirtyFlags() {
        #expect(answer("ff 03 0004 00000000") == hex("00 03 0004 02010202"))
    }

    @Test("A length past the end sets M and leaves the remainder unchanged")
    func runsPastEnd() {
        #expect(answer("80 03 0005 01020304") == hex("40 03 0005 01020304"))
        #expect(answer("80 63 0005 01020304") == hex("c0 63 0005 01020304"))
        #expect(answer("80 f0 00f0 01020304") == hex("c0 f0 00f0 01020304"))
    }

    @Test("A remainder too short for a header is malformed")
    func partialHeader() {
        #expect(answer("80 01 0000 80 03 00") == hex("00 01 0000 40 03 00"))
        #expect(answer("80 01 0000 80") == hex("00 01 0000 c0"))
    }

    @Test(
        "A known type of a wrong length sets M, and the TLVs after it are copied unanswered",
        arguments: [
            ("03 0003 010203", "03 0003 010203"), ("03 0005 0102030405", "03 0005 0102030405"), ("03 0000", "03 0000"),
            ("04 0002 b800", "04 0002 b800"), ("04 0006 b80000000000", "04 0006 b80000000000"),
        ])
    func wrongLength(probe: String, expected: String) {
        let before = "80 01 0001 aa"
        let after = "80 03 0004 00000000 80 04 0004 b8000000"
        var context = replyContext
        context.permitsRequestedDSCP = true
        #expect(
            answer("\(before) 80 \(probe) \(after)", context) == hex("00 01 0001 aa 40 \(expected) \(after)"))
        #expect(reply(to: base + hex("80 \(probe) \(after)"), context).result?.replyDSCP == 10)
    }

    @Test("A malformed follow-up has its sequence and timestamp zeroed")
    func malformedFollowUp() {
        #expect(answer("80 07 0003 ffffff") == hex("40 07 0003 000000"))
        #expect(
            answer("80 07 0011 ffffffffffffffffffffffffffffffffff")
                == hex("40 07 0011 000000000000000000000000 ffffffffff"))
        #expect(answer("80 07 0010 ffffff") == hex("40 07 0010 000000"))
    }

    @Test("Without a key an HMAC fails: no TLV is used, and all return with I set")
    func hmac() {
        var context = replyContext
        context.permitsRequestedDSCP = true
        context.followUp = FollowUp(sequence: 7, timestamp: 8, method: 1)
        let followUp = "07 0010 " + String(repeating: "00", count: 16)
        let hmac = "08 0010 " + String(repeating: "ab", count: 16)
        let probe = "80 04 0004 b8000000 80 63 0001 aa 80 \(followUp) 80 \(hmac)"
        #expect(answer(probe, context) == hex("20 04 0004 b8000000 a0 63 0001 aa 20 \(followUp) 20 \(hmac)"))
        #expect(reply(to: base + hex(probe), context).result?.replyDSCP == 10)
        #expect(answer("80 08 0004 01020304") == hex("60 08 0004 01020304"))
    }

    @Test("Paired timestamps are answered, and the probe's are in the result")
    func paired() {
        let local = PairedTimestamps(
            instance: 1, bootHash: 2, transmit0: TransmitStamps(sequence: 3, answered: 4, app: 5))
        var context = replyContext
        context.paired = local
        let value = written(240) { span in local.write(into: &span, at: 0) }
        let probe = hex("80 f0 00f0") + PairedTimestampsTests.bytes
        #expect(answer(probe, context) == hex("00 f0 00f0") + value)
        #expect(reply(to: base + probe, context).result?.probePaired == PairedTimestampsTests.value)
    }

    @Test("Without paired timestamps in the context their TLV is unrecognized, and the probe's are still in the result")
    func pairedUnanswered() {
        let probe = hex("80 f0 00f0") + PairedTimestampsTests.bytes
        #expect(answer(probe) == probe)
        #expect(reply(to: base + probe).result?.probePaired == PairedTimestampsTests.value)
    }

    @Test("A third-party experiment of the same type is unrecognized, and the TLVs after it are answered")
    func otherExperiment() {
        var context = replyContext
        context.paired = PairedTimestampsTests.value
        var thirdParty = PairedTimestampsTests.bytes
        thirdParty[0] = 0
        let after = hex("80 03 0004 00000000")
        for probe in [hex("80 f0 0002 abcd"), hex("80 f0 00f0") + thirdParty] {
            #expect(answer(probe + after, context) == probe + hex("00 03 0004 02010202"))
            #expect(reply(to: base + probe, context).result?.probePaired == nil)
        }
    }

    @Test("All TLVs of a whole probe are answered in place")
    func wholeProbe() throws {
        let layout = try ProbeLayout(size: 400, classOfService: true)
        let probe = written(400) { span in
            layout.writeFixedParts(into: &span, requestedDSCP: 46)
                && PairedTimestampsTests.value.write(into: &span, at: layout.pairedTimestampsOffset)
        }
        var context = replyContext
        context.followUp = FollowUp(sequence: 7, timestamp: 8, method: 1)
        context.paired = PairedTimestamps(instance: 1, bootHash: 2)
        let (result, bytes) = reply(to: probe, context)
        #expect(result == ReplyResult(length: 400, replyDSCP: 10, probePaired: PairedTimestampsTests.value))
        let found = tlvs(in: bytes)
        #expect(found.map(\.type) == [3, 7, 240, 4, 1])
        #expect(found.allSatisfy { $0.flags == 0 })
        let values = found.map { Array(bytes[$0.value]) }
        #expect(TimestampInformation(bytes: values[0])?.methodIn == TimestampingMethod.hardwareAssist)
        #expect(FollowUp(bytes: values[1]) == context.followUp)
        #expect(PairedTimestamps(bytes: values[2]) == context.paired)
        #expect(ClassOfService(bytes: values[3])?.reversePath == 1)
        #expect(values[4].allSatisfy { $0 == 0 })
    }
}
