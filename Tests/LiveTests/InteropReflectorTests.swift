import Foundation
import LinuxKernel
import STAMPWire
import Testing

/// Tests the reflector against third-party senders.
@Suite(.serialized, .needsRoot)
struct InteropReflectorTests {
    /// A probe that scapy built, and the reply to it.
    private struct Exchange: Decodable {
        let probe: String
        let reply: String
        /// CLOCK_REALTIME in nanoseconds.
        let before: Int64
        let after: Int64
        let ttl: Int
        let tos: Int

        var probeBytes: [UInt8] { Self.bytes(probe) }
        var replyBytes: [UInt8] { Self.bytes(reply) }

        static func bytes(_ hex: String) -> [UInt8] {
            stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
        }
    }

    /// Converts an NTP timestamp to Unix nanoseconds: RFC 5905 section 6.
    private func nanoseconds(_ bytes: ArraySlice<UInt8>) -> Int64 {
        let raw = Bytes.read(Array(bytes), 0, as: UInt64.self)
        return (Int64(raw >> 32) - 2_208_988_800) * 1_000_000_000 + Int64(((raw & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
    }

    private func exchanges(_ lab: Lab) throws -> [Exchange] {
        let text = try lab.run(.a, [Interop.python, "-c", Interop.scapySender, Lab.ipv4(.b), "862"])
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Exchange.self, from: Data($0.utf8)) }
    }

    @Test(.enabled(if: Interop.hasScapy, "python3-scapy is not installed"))
    func `The reply to a probe that scapy built has the RFCs' layout, byte for byte`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let exchanges = try exchanges(lab)
            let summary = try await lab.finish(reflector)
            #expect(summary["replies"] == exchanges.count)
            try #require(exchanges.count >= 2)
            var departures: [Range<Int64>] = []
            for (number, exchange) in exchanges.enumerated() {
                let (probe, reply) = (exchange.probeBytes, exchange.replyBytes)
                try #require(reply.count == probe.count)
                let t3 = nanoseconds(reply[4..<12])
                let t2 = nanoseconds(reply[16..<24])
                let times = [exchange.before, t2, t3, exchange.after]
                #expect(times == times.sorted(), "probe sent, probe received, reply sent, reply received")
                // Each reply has its own timestamps; the last one also reports an earlier reply's.
                let followUp = Array(reply.suffix(16))
                var expectedFollowUp = [UInt8](repeating: 0, count: 16)
                if number == exchanges.count - 1 {
                    let earlier = Int(Bytes.read(followUp, 0, as: UInt32.self))
                    try #require(earlier < number)
                    #expect(
                        departures[earlier].contains(nanoseconds(followUp[4..<12])),
                        "the transmit timestamp of that reply")
                    expectedFollowUp = Bytes.big(UInt32(earlier)) + followUp[4..<12] + [2, 0, 0, 0]
                }
                let estimate = Array(reply[12..<14])
                let source: UInt8 = estimate[0] & 0x80 != 0 ? 1 : 5
                #expect(estimate[1] != 0, "RFC 4656: a multiplier of 0 is not allowed")
                #expect((estimate[0] & 0x80 != 0) == ClockQuality.current()?.isSynchronized)
                #expect(estimate[0] & 0x40 == 0, "NTP format")
                let classOfService = Bytes.big(UInt32(46 << 26 | 10 << 20 | 1 << 18))
                let parts: [[UInt8]] = [
                    Bytes.big(UInt32(number)), Array(reply[4..<12]), estimate, [0x12, 0x34], Array(reply[16..<24]),
                    Array(probe[..<14]), [0, 0, 77, 0, 0, 0], Bytes.tlv(4, classOfService, flags: 0),
                    Bytes.tlv(1, Array("padding".utf8), flags: 0), Bytes.tlv(99, Array("hello".utf8), flags: 0x80),
                    Bytes.tlv(3, [source, 2, source, 2], flags: 0), Bytes.tlv(7, expectedFollowUp, flags: 0),
                ]
                #expect(reply == Array(parts.joined()), "reply \(number)")
                #expect(exchange.ttl == 255)
                #expect(exchange.tos == 46 << 2, "the reply's DSCP is the requested one")
                departures.append(t3..<exchange.after + 1)
            }
        }
    }

    @Test(.enabled(if: Interop.hasScapy, "python3-scapy is not installed"))
    func `scapy decodes probes and replies to the same fields as this library`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let capture = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let run = try lab.startRun(.a, .ipv4, ["--interval", "5ms", "--count", "20", "--dscp", "46"])
            _ = try await run.summary()
            _ = try await lab.finish(reflector)
            var packets: [(kind: WireFrame.Kind, payload: [UInt8])] = []
            while let received = capture.receive() {
                guard let frame = WireFrame(received.bytes) else { continue }
                packets.append((frame.kind, Array(received.bytes[42...])))
            }
            try #require(packets.count >= 40)
            let input = packets.map { kind, payload in
                "\(kind == .probe ? "sender" : "reflector") \(payload.map { String(format: "%02x", $0) }.joined())\n"
            }
            let output = try Command.run([Interop.python, "-c", Interop.scapyReader], input: input.joined())
            let lines = output.split(separator: "\n")
            try #require(lines.count == packets.count)
            for (line, captured) in zip(lines, packets) {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                let fields = try #require(object as? [String: Any])
                func number(_ name: String) -> UInt64? { (fields[name] as? NSNumber)?.uint64Value }
                var tlvs: [[String]] = []
                if captured.kind == .probe {
                    let decoded = SenderPacket(decoding: captured.payload.span.bytes)
                    let packet = try #require(decoded)
                    #expect(number("seq") == UInt64(packet.sequence))
                    #expect(number("ts") == packet.timestamp)
                    #expect(number("err_estimate") == UInt64(packet.errorEstimate.rawValue))
                    #expect(number("ssid") == UInt64(packet.ssid))
                } else {
                    let decoded = ReflectorPacket(decoding: captured.payload.span.bytes)
                    let packet = try #require(decoded)
                    #expect(number("seq") == UInt64(packet.sequence))
                    #expect(number("ts") == packet.transmitTimestamp)
                    #expect(number("err_estimate") == UInt64(packet.errorEstimate.rawValue))
                    #expect(number("ssid") == UInt64(packet.ssid))
                    #expect(number("ts_rx") == packet.receiveTimestamp)
                    #expect(number("seq_sender") == UInt64(packet.senderSequence))
                    #expect(number("ts_sender") == packet.senderTimestamp)
                    #expect(number("err_estimate_sender") == UInt64(packet.senderErrorEstimate.rawValue))
                    #expect(number("ttl_sender") == packet.senderTTL.map(UInt64.init))
                }
                forEachTLV(in: captured.payload.span.bytes) { tlv in
                    let value = captured.payload[tlv.value].map { String(format: "%02x", $0) }.joined()
                    tlvs.append(["\(tlv.flags)", "\(tlv.type)", "\(tlv.value.count)", value])
                }
                let scapyTLVs = try #require(fields["tlvs"] as? [[Any]])
                #expect(scapyTLVs.map { tlv in tlv.map { "\($0)" } } == tlvs)
                #expect(tlvs.count == 4)
            }
        }
    }

    @Test(arguments: [14, 41, 44])
    func `A TWAMP-Light probe of 14 to 44 bytes gets a reply of 44 bytes`(_ size: Int) async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            for sequence in UInt32(0)..<3 {
                let probe = Array(Bytes.probe(sequence, ssid: 0)[..<size])
                let reply = try endpoint.exchange(probe, Lab.ipv4(.b))
                #expect(reply.count == 44)
                #expect(Bytes.read(reply, 0, as: UInt32.self) == sequence)
                #expect(Array(reply[14..<16]) == [0, 0])
                #expect(Array(reply[24..<38]) == Array(probe[..<14]))
                #expect(nanoseconds(reply[16..<24]) <= nanoseconds(reply[4..<12]))
                #expect(Array(reply[38...]) == [0, 0, 64, 0, 0, 0])
            }
            let summary = try await lab.finish(reflector)
            #expect(summary["sessions"] == 1 && summary["replies"] == 3)
        }
    }

    @Test func `A TWAMP-Light sender's padding is returned unchanged, in a reply of equal size`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            for size in [45, 47, 100, 1400] {
                let probe = Bytes.probe(9, ssid: 0) + [UInt8](repeating: 0, count: size - 44)
                let reply = try endpoint.exchange(probe, Lab.ipv4(.b))
                #expect(reply.count == size)
                #expect(reply[44...].allSatisfy { $0 == 0 })
            }
            _ = try await lab.finish(reflector)
        }
    }
}
