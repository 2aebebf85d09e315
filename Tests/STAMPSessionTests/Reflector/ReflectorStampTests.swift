import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct ReflectorStampTests {
    private var sender = ScriptedSender(instance: 5)

    @Test mutating func `A reply reports the timestamps of the two before it, and the follow-up the newest one's`()
        throws
    {
        let bench = ReflectorBench(expecting: [.sched, .software])
        var stamped: [Int64] = []
        for round in 0..<4 {
            let written = try bench.answer(&sender)
            let paired = try #require(written.telemetry.paired)
            let followUp = try #require(written.telemetry.followUp)
            #expect(paired.transmit0.map(\.sequence) == (round > 0 ? UInt32(round) - 1 : nil))
            #expect(paired.transmit1.map(\.sequence) == (round > 1 ? UInt32(round) - 2 : nil))
            if round > 0 {
                #expect(paired.transmit0?.answered == UInt32(round) - 1)
                #expect(paired.transmit0?.times.software == stamped[round - 1])
                #expect(paired.transmit0?.times.sched == stamped[round - 1] - 2000)
                #expect(followUp.sequence == UInt32(round) - 1 && followUp.method == TimestampingMethod.softwareLocal)
                #expect(followUp.unixNanoseconds(isPTP: false, near: bench.realtime) == stamped[round - 1])
            } else {
                #expect(followUp.isAbsent)
            }
            bench.move(by: 2000)
            bench.stamp(written.answer, .sched)
            bench.move(by: 2000)
            bench.stamp(written.answer, .software)
            stamped.append(bench.realtime)
        }
    }

    @Test mutating func `With hardware timestamps only, the follow-up is the NIC's`() throws {
        let bench = ReflectorBench(expecting: [.software, .hardware]) { $0.usesHardwareOnly = true }
        let first = try bench.answer(&sender)
        bench.stamp(first.answer, .software)
        bench.move(by: 3000)
        bench.stamp(first.answer, .hardware)
        let time = bench.realtime
        let followUp = try #require(try bench.answer(&sender).telemetry.followUp)
        #expect(followUp.method == TimestampingMethod.hardwareAssist)
        #expect(followUp.unixNanoseconds(isPTP: false, near: bench.realtime) == time)
    }

    @Test mutating func `Timestamps are found by the low bits of their ID`() throws {
        let bench = ReflectorBench(expecting: .software)
        var answers: [SessionReflector.Answer] = []
        for _ in 0..<40 { answers.append(try bench.answer(&sender).answer) }
        #expect(bench.pendingStamps == 40)
        for place in [39, 8, 31, 38] { bench.stamp(answers[place], width: 5) }
        #expect(bench.pendingStamps == 36)
        bench.finish()
        #expect(bench.result.unknownStamps == 0)
        #expect(
            bench.host.rows.filter { $0.transmitSoftware != nil && $0.packet == .reply }.map(\.sequence)
                == [8, 31, 38, 39])
    }

    @Test mutating func `Timestamps that no reply waits for are unknown`() throws {
        let bench = ReflectorBench(expecting: .software)
        let written = try bench.answer(&sender).answer
        bench.stamp(written)
        bench.stamp(written)
        bench.stamp(SessionReflector.Answer(place: 7, id: 0, length: 0, dscp: 0))
        bench.stamp(SessionReflector.Answer(place: -1, id: 0, length: 0, dscp: 0))
        bench.stamp(SessionReflector.Answer(place: 0, id: 1, length: 0, dscp: 0))
        bench.session.recordSent(SessionReflector.Answer(place: 0, id: 9, length: 0, dscp: 0))
        #expect(bench.finish().unknownStamps == 4)
        #expect(bench.finish().ledger.kinds[1].stamped == 1)
    }

    @Test
    mutating func `A timestamp is written off when it is older than the caller's limit, and reported with the reason`()
        throws
    {
        let bench = ReflectorBench(expecting: [.software, .hardware])
        let written = try bench.answer(&sender).answer
        bench.stamp(written, .software)
        bench.host.reasons = [.inFlight]
        bench.wait(bench.stampTimeout)
        #expect(bench.host.reasonsAsked == 0)
        bench.session.touch(0)
        bench.wait(1)
        #expect(bench.host.reasonsAsked == 1)
        let stamps = try #require(try bench.answer(&sender).telemetry.paired?.transmit0)
        #expect(stamps.sequence == 0 && stamps.times.software != nil)
        #expect(stamps.times.nic == HardwareStamp(missing: MissingReason.inFlight.wireCode))
        bench.stamp(written, .hardware)
        let result = bench.finish()
        #expect(bench.host.row(.reply, 0)?.transmitMissing == nil, "its row was not written yet")
        #expect(bench.host.row(.reply, 0)?.transmitHardware != nil)
        #expect(result.ledger.kinds[2].late == 1 && result.ledger.kinds[2].inFlight == 0)
        #expect(result.ledger.kinds[2].pending == 1 && result.ledger.isBalanced)
    }

    @Test mutating func `Timestamps that are missing after a full queue were lost there, and later ones not`() throws {
        let bench = ReflectorBench(expecting: .software)
        try bench.answer(&sender)
        try bench.answer(&sender)
        bench.session.recordFullStampQueue()
        try bench.answer(&sender)
        bench.wait(second)
        let ledger = bench.finish().ledger.kinds[1]
        #expect(ledger.lostInBuffer == 2 && ledger.skippedByDriver == 1)
        #expect(bench.host.row(.reply, 1)?.transmitMissing == .bufferFull)
        #expect(bench.host.row(.reply, 2)?.transmitMissing == .skippedByDriver)
    }

    @Test mutating func `A NIC's timestamp is converted only if it lies between the send call and now`() throws {
        for (offset, isPlausible) in [(0, true), (-51, false), (1051, false)] as [(Int64, Bool)] {
            let bench = ReflectorBench(expecting: .hardware)
            let written = try bench.answer(&sender).answer
            let sent = bench.realtime
            bench.move(by: 1000)
            bench.session.record(
                StampReport(
                    kinds: .hardware, hardware: HardwareStamp(time: 42, realtime: sent + offset, error: 50)),
                of: written.place, bits: written.id, width: 32, at: bench.time)
            let nic = try #require(try bench.answer(&sender).telemetry.paired?.transmit0?.times.nic)
            #expect(nic.time == 42 && nic.realtime == (isPlausible ? sent + offset : nil))
        }
    }

    @Test mutating func `A reply that the caller has not sent yet is not written off`() throws {
        let bench = ReflectorBench(expecting: .software)
        let first = try #require(bench.write(sender.probe(at: bench.realtime), from: sender.key))
        try bench.answer(&sender)
        bench.wait(bench.stampTimeout + 1)
        #expect(bench.result.totals.sent == 1)
        bench.session.recordSent(first.answer)
        bench.stamp(first.answer)
        #expect(bench.finish().ledger.kinds[1].stamped == 1)
    }

    @Test mutating func `A large backlog is reported two at a time`() throws {
        let bench = ReflectorBench(expecting: .software)
        var answers: [SessionReflector.Answer] = []
        for _ in 0..<9 { answers.append(try bench.answer(&sender).answer) }
        for answer in answers { bench.stamp(answer) }
        let paired = try #require(try bench.answer(&sender).telemetry.paired)
        #expect(paired.transmit0?.sequence == 1 && paired.transmit1?.sequence == 0)
    }
}
