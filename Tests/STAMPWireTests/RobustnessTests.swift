import NetworkAddresses
import STAMPWire
import Testing

/// Decoders receive whatever the network sends. A trap ends the test process, so reaching the end is part of each test.
/// The assertions state what must hold for every accepted packet.
@Suite("Robustness")
struct RobustnessTests {
    /// A probe with every known TLV, an unknown one, and padding.
    private static let probe: [UInt8] =
        BasePacketTests.sender + hex("80 03 0004 00000000 80 07 0010 00000000000000000000000000000000 80 f0 00f0")
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
        checkBasePackets(bytes)
        var end = 44
        for tlv in tlvs(in: bytes) {
            #expect(tlv.offset == end && tlv.value.upperBound <= bytes.count)
            end = tlv.value.upperBound
        }
        if let value = PairedTimestamps(bytes: bytes) {
            let copy = written(PairedTimestamps.valueLength) { span in value.write(into: &span, at: 0) }
            #expect(PairedTimestamps(bytes: copy) == value)
        }
        for context in Self.contexts { checkReply(to: bytes, context) }
    }

    private func checkBasePackets(_ bytes: [UInt8]) {
        let probe = SenderPacket(bytes: bytes)
        let reply = ReflectorPacket(bytes: bytes)
        #expect((probe == nil) == (bytes.count < 14) && (reply == nil) == (bytes.count < 38))
        for pivot in [Int64.min, 0, .max] {
            if let probe {
                let time = probe.timestampNanoseconds(near: pivot)
                #expect((time != nil) == isValid(probe.timestamp, probe.errorEstimate))
            }
            guard let reply else { continue }
            let received = reply.receiveNanoseconds(near: pivot)
            let transmitted = reply.transmitNanoseconds(near: pivot)
            let sent = reply.senderNanoseconds(near: pivot)
            #expect((received != nil) == isValid(reply.receiveTimestamp, reply.errorEstimate))
            #expect((transmitted != nil) == isValid(reply.transmitTimestamp, reply.errorEstimate))
            #expect((sent != nil) == isValid(reply.senderTimestamp, reply.senderErrorEstimate))
        }
    }

    /// True for every NTP timestamp, and for a PTP timestamp with less than a second of nanoseconds.
    private func isValid(_ timestamp: UInt64, _ estimate: ErrorEstimate) -> Bool {
        !estimate.isPTP || timestamp & 0xFFFF_FFFF < 1_000_000_000
    }

    private func checkReply(to probe: [UInt8], _ context: ReplyContext) {
        let (result, bytes) = reply(to: probe, context)
        #expect((result == nil) == (probe.count < 14))
        guard let result else { return }
        #expect(result.length == max(44, probe.count) && result.replyDSCP < 64)
        // The reply keeps the boundaries and types of the probe's TLVs.
        #expect(tlvs(in: bytes).map(\.value) == tlvs(in: probe).map(\.value))
        #expect(tlvs(in: bytes).map(\.type) == tlvs(in: probe).map(\.type))
    }

    @Test("The probe of these tests has six intact TLVs")
    func intact() {
        #expect(tlvs(in: Self.probe).map(\.type) == [3, 7, 240, 4, 99, 1])
        #expect(tlvs(in: Self.probe).allSatisfy { !$0.isMalformed })
        #expect(reply(to: Self.probe, Self.contexts[1]).result?.probePaired == PairedTimestampsTests.value)
    }

    @Test("Every prefix of every valid packet is rejected or decoded within its bounds")
    func prefixes() {
        for bytes in Golden.frames + [Self.probe, BasePacketTests.reflector, PairedTimestampsTests.bytes] {
            for count in 0...bytes.count { decodeAll(Array(bytes.prefix(count))) }
        }
    }

    @Test("A valid packet with one changed byte is rejected or decoded within its bounds")
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

    @Test("A flipped bit in addresses, ports or payload fails a checksum")
    func flippedBits() throws {
        for bytes in Golden.frames {
            let original = try decodeFrame(bytes).get()
            // Only the Ethernet frame check sequence covers MAC addresses and tag.
            let start = original.vlan == nil ? 14 : 18
            for index in start..<bytes.count {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    guard case .success(let frame) = decodeFrame(changed) else { continue }
                    // IPv6 has no header checksum: class, label, hop limit and unused bytes of extension headers may
                    // change. Addresses, ports and payload may not.
                    #expect(!original.source.isIPv4, "byte \(index) bit \(bit)")
                    #expect(frame.source == original.source && frame.destination == original.destination)
                    #expect(frame.sourcePort == original.sourcePort)
                    #expect(frame.destinationPort == original.destinationPort)
                    #expect(changed[frame.payload] == bytes[original.payload])
                }
            }
        }
    }

    @Test("Random packets are rejected or decoded within their bounds")
    func random() {
        var generator = SeededGenerator(state: 6)
        var accepted = 0
        for round in 0..<100_000 {
            var bytes = generator.bytes(Int.random(in: 0..<120, using: &generator))
            // The first field rejects pure noise, so most rounds start like a valid packet.
            let model = round % 2 == 0 ? Golden.frames[round / 2 % 5] : Self.probe
            let kept = min(bytes.count, Int.random(in: 0..<80, using: &generator))
            bytes.replaceSubrange(0..<kept, with: model.prefix(kept))
            if decodeFast(bytes) { accepted += 1 }
        }
        #expect(accepted > 1000, "\(accepted) frames were accepted")
    }

    /// Checks as `decodeAll` does, with one assertion for each packet: the macros would take most of the time.
    ///
    /// - Returns: true if the bytes are an accepted frame.
    private func decodeFast(_ bytes: [UInt8]) -> Bool {
        var isRight = true
        var isAccepted = false
        if case .success(let frame) = decodeFrame(bytes, verifyChecksum: false) {
            isAccepted = true
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
        if let packet = ReflectorPacket(bytes: bytes) {
            let time = packet.receiveNanoseconds(near: .max)
            isRight = isRight && (time != nil) == isValid(packet.receiveTimestamp, packet.errorEstimate)
        }
        if !isRight { Issue.record("\(bytes)") }
        return isAccepted
    }
}
