import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct ReflectorRowTests {
    private let bench = ReflectorBench()
    private var sender = ScriptedSender(instance: 0xA11CE)

    @Test mutating func `The probe's row is written with the sender's report of it, the reply's with its receipt`()
        throws
    {
        let sent = bench.realtime - 100_000
        let arrival = bench.arrival().times
        let reply = try bench.answer(&sender)
        #expect(bench.host.rows.isEmpty)
        bench.move(by: 10 * millisecond)
        try bench.answer(&sender, transmit: [probeStamps(0, at: sent)])
        let row = try #require(bench.host.row(.probe, 0))
        #expect(row.session == 0xA11CE && row.replySequence == 0 && row.direction == .in && row.status == .ok)
        #expect(row.bytes == 400 && row.ttl == 61 && row.dscp == 10)
        #expect(row.peer == .ip(.v4(0x0A00_0100)) && row.peerPort == 50_000)
        #expect(row.transmitApp == sent && row.transmitSoftware == sent + 2000)
        #expect(row.receiveSoftware == arrival.software && row.receiveApp == arrival.app)
        #expect(row.delay == 93_000)
        #expect(row.transmitMissing == nil && row.receiveMissing == nil && row.clockEpoch == 0)
        let bound = bench.estimate.errorNanoseconds! + sender.estimate.errorNanoseconds!
        #expect(row.delayError == bound)
        #expect(bench.host.rows(.reply, 0).isEmpty)
        let received = bench.realtime - 9 * millisecond
        try bench.answer(&sender, receive: [replyReceipt(0, at: received)])
        let replyRow = try #require(bench.host.row(.reply, 0))
        #expect(replyRow.session == 0xA11CE && replyRow.replySequence == 0 && replyRow.direction == .out)
        #expect(replyRow.status == .ok && replyRow.ttl == 255 && replyRow.dscp == 0)
        #expect(replyRow.bytes == Int32(reply.answer.length + 42))
        #expect(replyRow.transmitApp == reply.packet.transmitNanoseconds(near: bench.realtime))
        #expect(replyRow.receiveSoftware == received && replyRow.receiveApp == received + 4000)
        #expect(replyRow.transmitMissing == .unsupported && replyRow.receiveMissing == nil)
        #expect(bench.host.lateness == [nil, nil])
    }

    @Test mutating func `The reply's row waits for its transmit timestamps too`() throws {
        let bench = ReflectorBench(expecting: .software)
        let reply = try bench.answer(&sender)
        try bench.answer(&sender, receive: [replyReceipt(0, at: bench.realtime)])
        #expect(bench.host.rows.isEmpty)
        bench.move(by: 6000)
        bench.stamp(reply.answer)
        let row = try #require(bench.host.row(.reply, 0))
        #expect(row.transmitSoftware == bench.realtime && row.transmitMissing == nil)
        #expect(row.delay == -6000)
    }

    @Test mutating func `Rows are written once, whatever the sender repeats`() throws {
        try bench.answer(&sender)
        for _ in 0..<3 {
            try bench.answer(
                &sender, transmit: [probeStamps(0, at: bench.realtime), probeStamps(0, at: bench.realtime)],
                receive: [replyReceipt(0, at: bench.realtime), replyReceipt(0, at: bench.realtime)])
        }
        #expect(bench.host.rows(.probe, 0).count == 1 && bench.host.rows(.reply, 0).count == 1)
    }

    @Test mutating func `All four sets of a probe are used`() throws {
        for _ in 0..<4 { try bench.answer(&sender) }
        try bench.answer(
            &sender, transmit: [probeStamps(3, at: bench.realtime), probeStamps(1, at: bench.realtime)],
            receive: [replyReceipt(2, at: bench.realtime), replyReceipt(0, at: bench.realtime)])
        #expect(Set(bench.host.rows.filter { $0.packet == .probe }.map(\.sequence)) == [3, 1])
        #expect(Set(bench.host.rows.filter { $0.packet == .reply }.map(\.sequence)) == [2, 0])
    }

    @Test mutating func `Probes are found by number after losses and out of order`() throws {
        try bench.answer(&sender)
        sender.next += 7
        try bench.answer(&sender)
        sender.next = 5
        try bench.answer(&sender)
        sender.next = 30
        try bench.answer(&sender, transmit: [probeStamps(8, at: bench.realtime), probeStamps(5, at: bench.realtime)])
        try bench.answer(&sender, transmit: [probeStamps(0, at: bench.realtime), probeStamps(3, at: bench.realtime)])
        #expect(bench.host.rows.map(\.sequence) == [8, 5, 0])
        #expect(bench.host.rows.map(\.replySequence) == [1, 2, 0])
        #expect(bench.host.rows.map(\.status) == [.ok, .reordered, .ok])
    }

    @Test mutating func `A duplicate has rows of its own, marked in the probe's`() throws {
        try bench.answer(&sender)
        sender.next = 0
        try bench.answer(&sender)
        bench.wait(second)
        #expect(Set(bench.host.rows(.probe, 0).map(\.status)) == [.ok, .duplicate])
        #expect(Set(bench.host.rows(.reply, 0).compactMap(\.replySequence)) == [0, 1])
    }

    @Test mutating func `Rows without a report are written after the timeout and two intervals`() throws {
        try bench.answer(&sender)
        bench.move(by: 10 * millisecond)
        try bench.answer(&sender)
        let last = bench.now
        bench.move(to: last - 10 * millisecond + ReflectorBench.timeout + 20 * millisecond)
        bench.advance()
        #expect(bench.host.rows.isEmpty)
        // Only a probe, a timestamp or the report of each second leads to a sweep.
        bench.session.touch(0)
        bench.wait(1)
        #expect(bench.host.rows.map(\.sequence) == [0, 0])
        #expect(bench.host.rows.map(\.status) == [.ok, .unknown])
        #expect(bench.host.rows[0].transmitMissing == .notReceived)
        #expect(bench.host.rows[0].transmitApp != nil, "T1 is in the probe")
        #expect(bench.host.rows[1].receiveMissing == .notReceived)
        bench.wait(second)
        #expect(bench.host.rows.count == 4)
    }

    @Test mutating func `The wait for a slow sender's report ends after two minutes`() throws {
        try bench.answer(&sender)
        bench.move(by: 3600 * second)
        try bench.answer(&sender)
        bench.session.touch(0)
        bench.advance()
        #expect(bench.host.rows.count == 2, "the first probe's")
        bench.move(by: 120 * second + ReflectorBench.timeout)
        bench.session.touch(0)
        bench.advance()
        #expect(bench.host.rows.count == 2)
        bench.session.touch(0)
        bench.wait(1)
        #expect(bench.host.rows.count == 4)
    }

    @Test mutating func `Opening and closing probes have no rows`() throws {
        sender.isClosing = true
        try bench.answer(&sender)
        sender.isClosing = false
        try bench.answer(&sender)
        sender.isClosing = true
        try bench.answer(
            &sender, transmit: [probeStamps(0, at: bench.realtime)], receive: [replyReceipt(0, at: bench.realtime)])
        bench.wait(second)
        bench.finish()
        #expect(bench.host.rows.map(\.sequence) == [1, 1])
        #expect(bench.result.totals.received == 3)
    }

    @Test func `A standard sender's probe has its row at once, and its reply when its timestamps are complete`() throws
    {
        let bench = ReflectorBench(expecting: .software)
        var sender = ScriptedSender()
        let reply = try bench.answer(&sender)
        let row = try #require(bench.host.row(.probe, 0))
        #expect(row.session == sender.key.identifier(seed: 0xB0B))
        #expect(row.transmitApp == bench.realtime - 100_000 && row.transmitMissing == .noFollowUp)
        #expect(row.delay == 95_000)
        #expect(bench.host.rows.count == 1)
        bench.stamp(reply.answer)
        let replyRow = try #require(bench.host.row(.reply, 0))
        #expect(replyRow.status == .unknown, "only the sender knows whether it arrived")
        #expect(replyRow.transmitSoftware == bench.realtime && replyRow.receiveMissing == .notReceived)
    }

    @Test mutating func `Without rows, nothing is recorded, and counts and telemetry are the same`() throws {
        let bench = ReflectorBench(expecting: .software, writesRows: false)
        for round in UInt32(0)..<5 {
            let reply = try bench.answer(
                &sender, transmit: round == 0 ? [] : [probeStamps(round - 1, at: bench.realtime)],
                receive: round == 0 ? [] : [replyReceipt(round - 1, at: bench.realtime)])
            #expect(reply.telemetry.paired?.transmit0?.sequence == (round == 0 ? nil : round - 1))
            bench.stamp(reply.answer)
        }
        let refused = try #require(bench.write(sender.probe(at: bench.realtime), from: sender.key))
        bench.refuse(refused.answer, code: 1)
        bench.wait(second)
        bench.finish()
        #expect(bench.host.rows.isEmpty)
        #expect(bench.result.totals.sent == 5 && bench.result.refusals == 1)
    }

    @Test mutating func `A refused reply's row has the errno`() throws {
        let written = try #require(bench.write(sender.probe(at: bench.realtime), from: sender.key))
        bench.refuse(written.answer, code: 11)
        let row = try #require(bench.host.row(.reply, 0))
        #expect(row.status == .notSent && row.sendError == 11)
        #expect(row.transmitApp == bench.realtime && row.delay == nil)
        #expect(row.transmitMissing == nil && row.receiveMissing == nil)
        bench.wait(second)
        bench.finish()
        #expect(bench.host.rows(.reply, 0).count == 1 && bench.host.rows(.probe, 0).count == 1)
        sender.isClosing = true
        let closing = try #require(bench.write(sender.probe(at: bench.realtime), from: sender.key))
        bench.refuse(closing.answer, code: 11)
        #expect(bench.host.rows.count == 2)
    }

    @Test mutating func `Rows without IP have the sender's MAC address, and neither TTL nor DSCP`() throws {
        let bench = ReflectorBench { $0.hasIP = false }
        let station = MACAddress(rawValue: 0x0200_0000_0001)
        let probe = sender.probe(at: bench.realtime)
        var bytes = [UInt8](repeating: 0, count: probe.count)
        func answer() -> SessionReflector.Answer? {
            var elements = bytes.mutableSpan
            var span = elements.mutableBytes
            return bench.session.answer(
                probe.span.bytes, from: sender.key, station: station, bench.arrival(), into: &span,
                replyBytes: 20 + probe.count,
                at: bench.time)
        }
        bench.session.recordSent(try #require(answer()))
        bench.finish()
        #expect(bench.host.rows.count == 2)
        #expect(bench.host.rows.allSatisfy { $0.peer == .station(station) && $0.ttl == nil && $0.dscp == nil })
    }

    @Test mutating func `Finish writes the rows of all sessions`() throws {
        let bench = ReflectorBench(expecting: .software)
        var other = ScriptedSender(1, instance: 6)
        let first = try bench.answer(&sender)
        bench.stamp(first.answer)
        try bench.answer(&other)
        let result = bench.finish()
        #expect(bench.host.rows.map(\.session) == [0xA11CE, 0xA11CE, 6, 6])
        #expect(bench.host.rows[1].transmitMissing == nil && bench.host.rows[3].transmitMissing == .closed)
        #expect(result.ledger.kinds[1].pending == 1 && result.ledger.kinds[1].stamped == 1)
        #expect(result.ledger.isBalanced)
        bench.finish()
        #expect(bench.host.rows.count == 4)
    }

    @Test func `Two paired senders with equal sequence numbers are told apart by their sessions`() throws {
        let bench = ReflectorBench(expecting: .software)
        var senders = [ScriptedSender(0, instance: 100), ScriptedSender(1, instance: 101)]
        var times: [[Int64]] = [[], []]
        for round in UInt32(0)..<50 {
            for place in [0, 1] {
                times[place].append(bench.realtime)
                let written = try bench.answer(
                    &senders[place],
                    transmit: round == 0 ? [] : [probeStamps(round - 1, at: times[place][Int(round) - 1])],
                    receive: round == 0 ? [] : [replyReceipt(round - 1, at: times[place][Int(round) - 1] + 777)])
                #expect(written.packet.sequence == round)
                let reported = written.telemetry.paired?.transmit0
                #expect(reported?.sequence == (round == 0 ? nil : round - 1))
                #expect(reported?.times.software == (round == 0 ? nil : times[place][Int(round) - 1] + 300))
                bench.move(by: 300)
                bench.stamp(written.answer, width: 16)
                bench.move(by: millisecond)
            }
        }
        for place in [0, 1] {
            let rows = bench.host.rows.filter { $0.session == 100 + UInt64(place) && $0.packet == .probe }
            #expect(rows.map(\.sequence) == Array(0..<49))
            #expect(rows.map(\.transmitApp) == times[place].dropLast().map { $0 })
            let replies = bench.host.rows.filter { $0.session == 100 + UInt64(place) && $0.packet == .reply }
            #expect(replies.map(\.receiveSoftware) == times[place].dropLast().map { $0 + 777 })
        }
    }
}
