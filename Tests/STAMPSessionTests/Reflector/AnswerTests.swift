import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct AnswerTests {
    private let bench = ReflectorBench()

    @Test func `A reply has its own count, T2, T3, and what the probe has`() throws {
        var sender = ScriptedSender(instance: 5)
        sender.next = 900
        try bench.answer(&sender)
        bench.move(by: 3 * millisecond)
        let probe = sender.probe(at: bench.realtime - 100_000)
        let written = try #require(bench.write(probe, from: sender.key))
        #expect(written.answer.length == probe.count)
        let reply = written.packet
        #expect(reply.sequence == 1 && reply.senderSequence == 901)
        #expect(reply.receiveNanoseconds(near: bench.realtime) == bench.realtime - 5000)
        #expect(reply.transmitNanoseconds(near: bench.realtime) == bench.realtime)
        #expect(reply.errorEstimate == bench.estimate)
        #expect(reply.ssid == 77 && reply.senderTTL == 61)
        #expect(reply.senderTimestamp == SenderPacket(decoding: probe.span.bytes)?.timestamp)
        let paired = try #require(written.telemetry.paired)
        #expect(paired.instance == 0xB0B && paired.bootHash == 0x2222 && paired.hardwareClock == 4)
        #expect(!paired.isClosing && paired.clockSteps == 0)
        #expect(paired.receive0?.sequence == 901 && paired.receive0?.times == bench.arrival().times)
        #expect(paired.receive1?.sequence == 900)
        #expect(paired.receive1?.times.software == bench.realtime - 5000 - 3 * millisecond)
    }

    @Test func `The reply's DSCP is the requested one, or the probe's`() throws {
        for (hasIP, expected) in [(true, 46), (false, 10)] as [(Bool, UInt8)] {
            let bench = ReflectorBench { $0.hasIP = hasIP }
            var sender = ScriptedSender(instance: 5)
            let written = bench.write(sender.probe(at: bench.realtime, dscp: 46), from: sender.key)
            #expect(written?.answer.dscp == expected)
        }
    }

    @Test func `Timestamp information names the clock's source and the method`() throws {
        for isSynchronized in [true, false] {
            for usesHardware in [true, false] {
                let bench = ReflectorBench { $0.usesHardwareOnly = usesHardware }
                bench.estimate = ErrorEstimate(
                    synchronized: isSynchronized, isPTP: false, errorNanoseconds: 1000)
                var sender = ScriptedSender(instance: 5)
                let nic = HardwareStamp(time: 9, realtime: bench.realtime - 8000, error: 10)
                let written = try #require(
                    bench.write(sender.probe(at: bench.realtime), from: sender.key, bench.arrival(nic: nic)))
                let bytes = written.bytes
                let offset = SenderBench.layout.timestampInformationOffset
                #expect(bytes[offset] == (isSynchronized ? SynchronizationSource.ntp : .init(5)))
                #expect(bytes[offset + 2] == bytes[offset])
                #expect(bytes[offset + 1] == (usesHardware ? TimestampingMethod.hardwareAssist : .init(2)))
                let t2 = written.packet.receiveNanoseconds(near: bench.realtime)
                #expect(t2 == bench.realtime - (usesHardware ? 8000 : 5000))
            }
        }
    }

    @Test func `T2 is the best timestamp that exists`() throws {
        let bench = ReflectorBench { $0.usesHardwareOnly = true }
        var sender = ScriptedSender()
        var arrival = bench.arrival()
        arrival.times.software = nil
        let written = bench.write(sender.probe(at: bench.realtime), from: sender.key, arrival)
        #expect(written?.packet.receiveNanoseconds(near: bench.realtime) == bench.realtime - 1000)
    }

    @Test func `A packet of less than 14 bytes is short, and so is the room for a reply`() throws {
        var sender = ScriptedSender()
        let probe = sender.probe(at: bench.realtime)
        #expect(bench.write(Array(probe.prefix(13)), from: sender.key) == nil)
        #expect(bench.write([], from: sender.key) == nil)
        #expect(bench.result.short == 2 && bench.openSessions == 0)
        #expect(bench.write(probe, from: sender.key, room: 43) == nil)
        #expect(bench.result.short == 3)
        #expect(bench.write(Array(probe.prefix(14)), from: sender.key)?.answer.length == 44)
        #expect(bench.result.totals.received == 1)
    }

    @Test func `Ports that cannot be answered are rejected`() throws {
        var sender = ScriptedSender(port: 0)
        #expect(bench.write(sender.probe(at: bench.realtime), from: sender.key) == nil)
        #expect(bench.result.stray == 1)
        sender.key.sourcePort = ReflectorBench.port
        #expect(bench.write(sender.probe(at: bench.realtime), from: sender.key) == nil)
        #expect(bench.result.loopsRejected == 1)
        #expect(bench.result.totals == SessionTotals() && bench.openSessions == 0)
    }

    @Test func `Only the allowed networks are answered`() throws {
        let bench = ReflectorBench {
            $0.allowed = [IPNetwork("10.0.1.0/31")!, IPNetwork("192.0.2.0/24")!]
        }
        for (number, isAllowed) in [(0, true), (1, true), (2, false)] {
            var sender = ScriptedSender(number)
            #expect((bench.write(sender.probe(at: bench.realtime), from: sender.key) != nil) == isAllowed)
        }
        #expect(bench.result.notAllowed == 1)
        #expect(bench.result.sessionsOpened == 2)
    }

    @Test func `Each address, port and SSID has a session with a count of its own`() throws {
        var senders = [
            ScriptedSender(0), ScriptedSender(1), ScriptedSender(0, port: 50_001), ScriptedSender(0, ssid: 78),
        ]
        var other = ScriptedSender(0)
        other.key.destination = .v4(0x0A00_0002)
        senders.append(other)
        for round in UInt32(0)..<3 {
            for place in senders.indices {
                #expect(try bench.answer(&senders[place]).packet.sequence == round)
            }
        }
        #expect(bench.result.sessionsOpened == 5 && bench.openSessions == 5)
        #expect(bench.result.totals.received == 15 && bench.result.totals.sent == 15)
    }

    @Test func `Packets of a session that a full table has no place for are rejected, and the others answered`() throws
    {
        var first = ScriptedSender(0)
        try bench.answer(&first)
        for number in 1..<4096 {
            var sender = ScriptedSender(number)
            #expect(bench.write(sender.probe(at: bench.realtime), from: sender.key) != nil)
        }
        var last = ScriptedSender(4096)
        #expect(bench.write(last.probe(at: bench.realtime), from: last.key) == nil)
        #expect(bench.write(last.probe(at: bench.realtime), from: last.key) == nil)
        #expect(bench.result.sessionsRejected == 2 && bench.result.sessionsOpened == 4096)
        #expect(try bench.answer(&first).packet.sequence == 1)
    }

    @Test func `Duplicates are answered and counted`() throws {
        var sender = ScriptedSender(instance: 5)
        try bench.answer(&sender)
        sender.next -= 1
        #expect(try bench.answer(&sender).packet.sequence == 1)
        #expect(bench.result.duplicates == 1)
        #expect(bench.result.totals.received == 2)
    }

    @Test func `A refused reply keeps its number, and is reported`() throws {
        var sender = ScriptedSender(instance: 5)
        let written = try #require(bench.write(sender.probe(at: bench.realtime), from: sender.key))
        bench.refuse(written.answer, code: 105)
        bench.refuse(written.answer, code: 105)
        bench.session.recordSent(written.answer)
        #expect(bench.result.refusals == 1 && bench.result.totals.sent == 0)
        #expect(try bench.answer(&sender).packet.sequence == 1)
        guard case .sendFailing(code: 105, role: .reflector)? = bench.host.notices.first else {
            Issue.record("the refusal is not reported")
            return
        }
        #expect(bench.host.notices.count == 1)
        bench.wait(3 * second)
        guard case .sendWorksAgain(refused: 1, role: .reflector)? = bench.host.notices.last else {
            Issue.record("the recovery is not reported")
            return
        }
    }

    @Test func `A reply is sent once, whatever the caller repeats`() throws {
        var sender = ScriptedSender()
        let written = try bench.answer(&sender)
        bench.session.recordSent(written.answer)
        bench.refuse(written.answer, code: 1)
        #expect(bench.result.totals.sent == 1 && bench.result.refusals == 0)
        #expect(bench.finish().ledger.sent == 1)
    }

    @Test func `Reports are due once a second`() throws {
        let start = bench.now
        #expect(bench.deadline == start + second)
        var sender = ScriptedSender()
        try bench.answer(&sender)
        bench.wait(second - 1)
        #expect(bench.host.updates.isEmpty)
        bench.wait(1)
        #expect(bench.host.updates.map(\.sent) == [1])
        #expect(bench.deadline == start + 2 * second)
        bench.finish()
        #expect(bench.host.updates.count == 2)
    }

    @Test func `The number of an unnamed session depends on each part of its key and on the reflector`() {
        let key = ScriptedSender().key
        var keys = [key]
        var other = key
        other.source = .v4(1)
        keys.append(other)
        other = key
        other.destination = .v4(1)
        keys.append(other)
        other = key
        other.sourcePort += 1
        keys.append(other)
        other = key
        other.ssid += 1
        keys.append(other)
        other = key
        other.source = .v6(0x2001_0DB8 << 96)
        keys.append(other)
        other.source = .v6(0x2001_0DB8)
        keys.append(other)
        #expect(Set(keys.map { $0.identifier(seed: 1) }).count == keys.count)
        #expect(key.identifier(seed: 1) == key.identifier(seed: 1))
        #expect(key.identifier(seed: 1) != key.identifier(seed: 2))
        // Addresses and ports that differ by a few have numbers without a common pattern.
        var numbers: Set<UInt64> = []
        for number in 0..<64 {
            for port in 0..<64 as Range<UInt16> {
                numbers.insert(ScriptedSender(number, port: port).key.identifier(seed: 1) >> 32)
            }
        }
        #expect(numbers.count > 4090)
    }
}

@Suite struct ServingTests {
    private let bench = ReflectorBench()

    @Test func `A sender is served for a second after its last probe, or three of its intervals`() throws {
        #expect(!bench.isServing())
        var sender = ScriptedSender()
        try bench.answer(&sender)
        bench.move(by: second - 1)
        #expect(bench.isServing())
        bench.move(by: 1)
        #expect(!bench.isServing())
        bench.move(by: second)
        try bench.answer(&sender)
        // The interval is 2 s now.
        bench.move(by: 6 * second - 1)
        #expect(bench.isServing())
        bench.move(by: 1)
        #expect(!bench.isServing())
    }

    @Test func `A sender that closes after its measurement is served for 200 ms`() throws {
        var sender = ScriptedSender(instance: 5)
        sender.isClosing = true
        try bench.answer(&sender)
        bench.move(by: 300 * millisecond)
        #expect(bench.isServing(), "it opens")
        sender.isClosing = false
        try bench.answer(&sender)
        sender.isClosing = true
        try bench.answer(&sender)
        bench.move(by: 200 * millisecond - 1)
        #expect(bench.isServing())
        bench.move(by: 1)
        #expect(!bench.isServing())
    }
}
