import NetworkAddresses
import STAMPWire
import Testing

/// Decoders take whatever the network sends. A trap ends the test process, so reaching the end is part of each test;
/// what is asserted besides is what must hold of anything that was accepted.
@Suite("Robustness")
struct RobustnessTests {
    /// A probe with every TLV that is known, one that is not, and padding.
    private static let probe: [UInt8] =
        BasePacketTests.sender + hex("80 03 0004 00000000 80 07 0010 00000000000000000000000000000000 80 f0 00b0")
        + PairedTimestampsTests.bytes + hex("80 04 0004 b8000000 80 63 0002 abcd 80 01 0003 000000")

    private static let contexts: [ReplyContext] = {
        var full = replyContext
        full.paired = PairedTimestampsTests.value
        full.followUp = FollowUp(sequence: 1, timestamp: 2, method: 3)
        full.permitsRequestedDSCP = true
        return [replyContext, full]
    }()

    private func decodeAll(_ bytes: [UInt8]) {
        for verify in [true, false] {
            if case .success(let frame) = decodeFrame(bytes, verifyChecksum: verify) {
                #expect(frame.payload.lowerBound >= 42 && frame.payload.upperBound <= bytes.count)
                #expect(frame.source.isIPv4 == frame.destination.isIPv4)
            }
        }
        for pivot in [Int64.min, 0, .max] {
            _ = SenderPacket(bytes: bytes)?.timestampNanoseconds(near: pivot)
            let packet = ReflectorPacket(bytes: bytes)
            _ = packet?.receiveNanoseconds(near: pivot)
            _ = packet?.transmitNanoseconds(near: pivot)
            _ = packet?.senderNanoseconds(near: pivot)
            _ = packet?.errorEstimate.errorNanoseconds
        }
        var end = 44
        for tlv in tlvs(in: bytes) {
            #expect(tlv.offset == end && tlv.value.upperBound <= bytes.count)
            end = tlv.value.upperBound
        }
        _ = PairedTimestamps(bytes: bytes)
        for context in Self.contexts { checkReply(to: bytes, context) }
    }

    private func checkReply(to probe: [UInt8], _ context: ReplyContext) {
        let (result, bytes) = reply(to: probe, context)
        #expect((result == nil) == (probe.count < 14))
        guard let result else { return }
        #expect(result.length == max(44, probe.count) && result.replyDSCP < 64)
        // Where TLVs start and end is the sender's choice alone.
        #expect(tlvs(in: bytes).map(\.value) == tlvs(in: probe).map(\.value))
        #expect(tlvs(in: bytes).map(\.type) == tlvs(in: probe).map(\.type))
    }

    @Test("Every prefix of every valid packet is decoded without a trap")
    func prefixes() {
        for bytes in Golden.frames + [Self.probe, BasePacketTests.reflector, PairedTimestampsTests.bytes] {
            for count in 0...bytes.count { decodeAll(Array(bytes.prefix(count))) }
        }
    }

    @Test("Every byte of every valid packet flipped in every way that matters is decoded without a trap")
    func flips() {
        for bytes in Golden.frames + [Self.probe, reply(to: Self.probe).bytes, PairedTimestampsTests.bytes] {
            for index in bytes.indices {
                for change: UInt8 in [0x01, 0x02, 0x40, 0x80, 0xFF] {
                    var changed = bytes
                    changed[index] ^= change
                    decodeAll(changed)
                }
            }
        }
    }

    @Test("No single flipped bit of a datagram passes the checksums")
    func flippedBits() throws {
        for bytes in Golden.frames {
            let original = try decodeFrame(bytes).get()
            // MAC addresses and the tag are covered by the Ethernet check sequence only.
            let start = original.vlan == nil ? 14 : 18
            for index in start..<bytes.count {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    guard case .success(let frame) = decodeFrame(changed) else { continue }
                    // IPv6 has no checksum over its own header: class, label and hop limit may change, and unused
                    // bytes of extension headers. Addresses, ports and payload may not.
                    #expect(!original.source.isIPv4, "byte \(index) bit \(bit)")
                    #expect(frame.source == original.source && frame.destination == original.destination)
                    #expect(frame.sourcePort == original.sourcePort)
                    #expect(frame.destinationPort == original.destinationPort)
                    #expect(changed[frame.payload] == bytes[original.payload])
                }
            }
        }
    }

    @Test("A hundred thousand random packets are decoded without a trap")
    func random() {
        var generator = SeededGenerator(state: 6)
        for round in 0..<100_000 {
            var bytes = generator.bytes(Int.random(in: 0..<120, using: &generator))
            // Pure noise hardly gets past the first field, so most rounds start like the real thing.
            let model = round % 2 == 0 ? Golden.frames[round / 2 % 5] : Self.probe
            let kept = min(bytes.count, Int.random(in: 0..<80, using: &generator))
            bytes.replaceSubrange(0..<kept, with: model.prefix(kept))
            decodeFast(bytes)
        }
    }

    /// The same as `decodeAll`, with one assertion a packet: the macros would take most of the time.
    private func decodeFast(_ bytes: [UInt8]) {
        var isRight = true
        if case .success(let frame) = decodeFrame(bytes, verifyChecksum: false) {
            isRight = frame.payload.lowerBound >= 42 && frame.payload.upperBound <= bytes.count
        }
        var end = 44
        forEachTLV(in: bytes.span.bytes) { tlv in
            isRight = isRight && tlv.offset == end && tlv.value.upperBound <= bytes.count
            end = tlv.value.upperBound
        }
        for context in Self.contexts {
            let result = reply(to: bytes, context).result
            isRight = isRight && result?.length == (bytes.count < 14 ? nil : max(44, bytes.count))
        }
        _ = ReflectorPacket(bytes: bytes)?.receiveNanoseconds(near: .max)
        if !isRight { Issue.record("\(bytes)") }
    }
}
