import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

/// Payloads that an attacker chooses. Nothing traps, counts add up, and memory stays bounded.
@Suite struct HostileTests {
    /// Damages up to four bytes, or the length.
    private func damage(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        if Int.random(in: 0..<8, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        }
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0 ... .max, using: &random)
        }
        return bytes
    }

    private func noise(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...600, using: &random)).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
    }

    @Test(arguments: UInt64(1)...6)
    func `A session-sender's rows and counts add up whatever arrives`(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let bench = SenderBench(expecting: [.software, .hardware])
        try bench.open()
        var replies: [ScriptedReply] = []
        for _ in 0..<1500 {
            let probe = try bench.send()
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bench.receive(noise(&random))
            case 1: bench.peer.next = UInt32.random(in: 0 ... .max, using: &random)
            case 2: bench.peer.clockSteps = UInt8.random(in: 0 ... .max, using: &random)
            default: break
            }
            replies.append(bench.answer(probe))
            bench.move(by: millisecond)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let reply = replies[max(0, replies.count - Int.random(in: 1...60, using: &random))]
                bench.receive(damage(reply.bytes, &random))
            }
            let stamp = StampReport(
                kinds: StampKinds(rawValue: UInt8.random(in: 0...7, using: &random)),
                software: Int64.random(in: .min ... .max, using: &random),
                hardware: HardwareStamp(
                    time: Int64.random(in: .min ... .max, using: &random),
                    realtime: Int64.random(in: .min ... .max, using: &random),
                    error: UInt32.random(in: 0 ... .max, using: &random)))
            bench.session.record(stamp, of: probe.sequence &- UInt32.random(in: 0...50, using: &random), at: bench.time)
        }
        bench.wait(second)
        let result = bench.finish()
        let totals = result.totals
        let lost = totals.sequence.lostForward + totals.sequence.lostReverse + totals.sequence.lostUnknown
        #expect(totals.sent == 1500 && totals.received + lost == totals.sent, "seed \(seed)")
        #expect(result.ledger.isBalanced && result.ledger.sent == 1501, "seed \(seed)")
        #expect(totals.received > 100 && result.rejected.stray > 10 && result.rejected.short > 10)
        let originals = bench.host.rows.filter { $0.status != .duplicate }
        #expect(originals.count == 3000, "seed \(seed)")
        #expect(Set(originals.filter { $0.packet == .probe }.map(\.sequence)).count == 1500)
        #expect(Set(originals.filter { $0.packet == .reply }.map(\.sequence)).count == 1500)
        #expect(bench.host.notices.count < 300, "notices are limited")
    }

    @Test(arguments: UInt64(1)...4)
    func `A reflector answers what is a probe, and its rows and counts add up`(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let bench = ReflectorBench(expecting: [.software, .hardware])
        var senders = (0..<40).map { ScriptedSender($0, ssid: 5, instance: $0 % 3 == 0 ? nil : UInt64($0)) }
        var answers: [SessionReflector.Answer] = []
        var (received, refused) = (0, 0)
        for _ in 0..<6000 {
            let place = Int.random(in: 0..<40, using: &random)
            let last = senders[place].next
            func any() -> UInt32 { last &- UInt32.random(in: 0...20, using: &random) }
            var payload = senders[place].probe(
                at: bench.realtime, transmit: [probeStamps(any(), at: Int64.random(in: .min ... .max, using: &random))],
                receive: [replyReceipt(any(), at: 5), replyReceipt(any(), at: bench.realtime)])
            if Bool.random(using: &random) { payload = damage(payload, &random) }
            if Int.random(in: 0..<20, using: &random) == 0 { payload = noise(&random) }
            if let written = bench.write(payload, from: senders[place].key) {
                #expect(written.packet.senderSequence == SenderPacket(decoding: payload.span.bytes)?.sequence)
                received += 1
                if Int.random(in: 0..<10, using: &random) == 0 {
                    bench.refuse(written.answer, code: 11)
                    refused += 1
                } else {
                    bench.session.recordSent(written.answer)
                    answers.append(written.answer)
                }
            } else {
                #expect(payload.count < 14)
            }
            if Bool.random(using: &random), let answer = answers.randomElement(using: &random) {
                bench.stamp(answer, Bool.random(using: &random) ? .software : .hardware, width: 16)
            }
            bench.move(by: Int64.random(in: 0...millisecond, using: &random))
            if Bool.random(using: &random) { bench.advance() }
        }
        let result = bench.finish()
        #expect(result.totals.received == UInt64(received) && result.refusals == UInt64(refused), "seed \(seed)")
        #expect(result.totals.sent == UInt64(received - refused) && result.ledger.sent == received - refused)
        #expect(result.ledger.isBalanced, "seed \(seed)")
        #expect(result.short == 6000 - UInt64(received) && result.short > 10)
        // Damaged probes of a paired sender can be closing ones, which have no rows.
        #expect(bench.host.rows.count <= 2 * received && bench.host.rows.count > received, "seed \(seed)")
        let probes = bench.host.rows.filter { $0.packet == .probe }
        let replies = bench.host.rows.filter { $0.packet == .reply }
        #expect(probes.count == replies.count, "seed \(seed)")
    }
}
