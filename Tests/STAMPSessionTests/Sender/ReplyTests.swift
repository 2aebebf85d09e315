import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct RejectedReplyTests {
    private let bench = SenderBench()

    @Test func `A packet of less than 38 bytes is short`() throws {
        try bench.open()
        let reply = bench.answer(try bench.send())
        bench.receive(Array(reply.bytes.prefix(37)))
        bench.receive([])
        #expect(bench.result.rejected.short == 2)
        bench.receive(Array(reply.bytes.prefix(38)))
        #expect(bench.result.rejected.short == 2 && bench.totals.received == 1)
    }

    @Test func `Another session's SSID is rejected, and 0 comes from a peer without SSIDs`() throws {
        try bench.open()
        let probe = try bench.send()
        bench.peer.ssid = 78
        bench.receive(bench.answer(probe))
        #expect(bench.result.rejected.wrongSession == 1 && bench.totals.received == 0)
        bench.peer.ssid = 0
        bench.receive(bench.answer(probe))
        #expect(bench.result.rejected.wrongSession == 1 && bench.totals.received == 1)
    }

    @Test func `A reply to a probe that was never sent is stray`() throws {
        try bench.open()
        var probe = try bench.send()
        probe.bytes[3] += 1
        bench.receive(bench.answer(probe))
        #expect(bench.result.rejected.stray == 1)
        probe.bytes[0] = 0x40
        bench.receive(bench.answer(probe))
        #expect(bench.result.rejected.stray == 2)
        #expect(bench.result.repliesAfterWriteOff == 0)
    }

    @Test func `A reply with a send time that was not used is stray, and changes nothing`() throws {
        try bench.open()
        var forged = try bench.send()
        let probe = forged
        forged.bytes[11] ^= 1
        bench.receive(bench.answer(forged))
        #expect(bench.result.rejected.stray == 1)
        #expect(bench.totals.received == 0 && bench.host.rows.isEmpty)
        bench.receive(bench.answer(probe))
        #expect(bench.totals.received == 1)
    }

    @Test func `A reply to a probe that is no longer kept came after its write-off`() throws {
        try bench.open()
        let probe = try bench.send()
        try bench.send(40)
        bench.receive(bench.answer(probe))
        #expect(bench.result.repliesAfterWriteOff == 1)
        #expect(bench.result.rejected == RejectedReplies())
        #expect(bench.totals.received == 0)
    }

    @Test func `A rejected reply is not a sign of life`() throws {
        bench.receive([1, 2, 3])
        var probe = try bench.send()
        probe.bytes[11] ^= 1
        bench.receive(bench.answer(probe))
        #expect(!bench.result.hasAnswered && bench.host.notices.isEmpty)
        bench.advance()
        #expect(bench.phase == .opening)
    }
}

@Suite struct ReplyRowTests {
    private let bench = SenderBench(.paired)

    @Test func `The rows of an answered probe have all its facts`() throws {
        let bench = SenderBench { $0.dscp = 46 }
        bench.peer.offset = 3000
        try bench.open()
        bench.peer.next = 40
        let probe = try bench.exchange()
        let received = bench.realtime
        try bench.exchange()
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.session == 0xA11CE)
        #expect(row.replySequence == 40)
        #expect(row.direction == .out)
        #expect(row.bytes == 400)
        #expect(row.ttl == 255 && row.dscp == 46)
        #expect(row.peer == .ip(.v4(0x0A00_0002)) && row.peerPort == 862)
        let t1 = try #require(probe.packet.timestampNanoseconds(near: bench.realtime))
        #expect(row.transmitApp == t1)
        #expect(row.receiveSoftware == t1 + 100_000 + 3000)
        #expect(row.receiveApp == t1 + 100_000 + 3000 + ScriptedPeer.wakeTime)
        #expect(row.delay == 103_000, "from the application's timestamp, the only one, to the kernel's")
        #expect(row.delayError == nil, "neither clock is known to be synchronised")
        #expect(row.clockEpoch == 0)
        #expect(row.transmitMissing == .unsupported, "no driver timestamp was requested")
        #expect(row.receiveMissing == nil)
        #expect(row.sendError == nil)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.session == 0xA11CE && reply.replySequence == 40)
        #expect(reply.direction == .in)
        #expect(reply.bytes == 390 && reply.ttl == 58 && reply.dscp == 10)
        #expect(reply.peer == .ip(.v4(0x0A00_0002)) && reply.peerPort == 862)
        #expect(reply.transmitApp == t1 + 120_000 + 3000)
        #expect(reply.transmitSoftware == reply.transmitApp! + ScriptedPeer.driverTime)
        #expect(reply.receiveSoftware == received - 2000 && reply.receiveApp == received)
        #expect(reply.delay == received - 2000 - reply.transmitSoftware!)
        #expect(reply.transmitMissing == nil && reply.receiveMissing == nil)
        #expect(reply.clockEpoch == 0)
    }

    @Test func `Rows of packets without IP have neither TTL nor DSCP`() throws {
        let bench = SenderBench {
            $0.hasIP = false
            $0.dscp = 46
        }
        try bench.open()
        try bench.exchange(2)
        let rows = [try #require(bench.host.row(.probe, 1)), try #require(bench.host.row(.reply, 1))]
        #expect(rows.allSatisfy { $0.ttl == nil && $0.dscp == nil })
    }

    @Test func `The probe's row is written with the reply, and the reply's with the report of its timestamps`() throws {
        try bench.open()
        try bench.exchange()
        #expect(bench.host.rows(.probe, 1).count == 1)
        #expect(bench.host.rows(.reply, 1).isEmpty)
        try bench.exchange()
        #expect(bench.host.statuses(1) == [.ok, .ok])
        #expect(bench.host.rows(.reply, 2).isEmpty)
        #expect(bench.totals.received == 2)
    }

    @Test func `The probe's row waits for its own timestamps`() throws {
        let bench = SenderBench(expecting: [.sched, .software])
        try bench.open()
        try bench.exchange()
        bench.stamp(1, .sched)
        #expect(bench.host.rows.isEmpty)
        bench.stamp(1, .software)
        #expect(bench.host.rows(.probe, 1).count == 1)
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.transmitSched == bench.realtime - 1000 && row.transmitSoftware == bench.realtime)
        #expect(row.transmitMissing == nil)
    }

    @Test func `A reply's row waits for its report: the timeout and two intervals`() throws {
        bench.peer.reportsTransmit = false
        try bench.open()
        let probe = try bench.exchange()
        bench.move(to: probe.sentAt + SenderBench.timeout + 2 * SenderBench.interval)
        bench.advance()
        #expect(bench.host.rows(.reply, 1).isEmpty)
        bench.wait(1)
        let row = try #require(bench.host.row(.reply, 1))
        #expect(row.status == .ok)
        #expect(row.transmitMissing == .notReceived)
        #expect(row.transmitSoftware == nil && row.transmitApp != nil)
        #expect(bench.host.rows(.probe, 1).count == 1)
    }

    @Test func `Rows that stay unfinished keep those of later probes waiting in the window only`() throws {
        bench.peer.reportsTransmit = false
        try bench.open()
        try bench.exchange()
        bench.peer.reportsTransmit = true
        try bench.exchange(2)
        #expect(bench.host.rows(.reply, 2).count == 1)
    }

    @Test func `The report of a reply's timestamps can be that of the reply after the next`() throws {
        try bench.open()
        try bench.exchange()
        let lost = try bench.send()
        _ = bench.answer(lost)
        try bench.exchange()
        #expect(bench.host.statuses(1) == [.ok, .ok], "the second transmit set")
    }
}

@Suite struct LateReplyTests {
    private let bench = SenderBench()

    private func deliver(after delay: Int64) throws -> UInt32 {
        try bench.open()
        try bench.exchange()
        let probe = try bench.send()
        let reply = bench.answer(probe)
        bench.move(to: probe.sentAt + delay)
        bench.advance()
        bench.receive(reply)
        return probe.sequence
    }

    @Test func `A reply is in time until the timeout`() throws {
        let sequence = try deliver(after: SenderBench.timeout)
        #expect(bench.totals.sequence.late == 0 && bench.totals.received == 2)
        bench.wait(second)
        #expect(bench.host.statuses(sequence) == [.ok, .ok])
    }

    @Test func `A later reply is late, and keeps its row`() throws {
        let sequence = try deliver(after: SenderBench.timeout + 1)
        #expect(bench.totals.sequence.late == 1 && bench.totals.received == 2)
        bench.wait(second)
        #expect(bench.host.statuses(sequence) == [.ok, .late])
        #expect(bench.host.row(.reply, sequence)?.delay != nil)
        #expect(bench.totals.sequence.lostForward + bench.totals.sequence.lostUnknown == 0)
    }

    @Test func `An unanswered probe is lost only after twice the timeout`() throws {
        let sequence = try deliver(after: 2 * SenderBench.timeout)
        #expect(bench.totals.sequence.late == 1)
        bench.wait(second)
        #expect(bench.host.statuses(sequence) == [.ok, .late])
    }

    @Test func `A reply after that changes no row, and is counted`() throws {
        let sequence = try deliver(after: 2 * SenderBench.timeout + 1)
        #expect(bench.host.statuses(sequence) == [.unknown, .unknown])
        #expect(bench.result.repliesAfterWriteOff == 1)
        #expect(bench.totals.received == 1 && bench.totals.sequence.late == 0)
        bench.wait(second)
        #expect(bench.host.statuses(sequence) == [.unknown, .unknown])
        #expect(bench.result.rejected == RejectedReplies())
    }
}

@Suite struct DuplicateTests {
    private let bench = SenderBench()

    @Test func `A duplicated probe has two more rows, with the receipt and the number of the second reply`() throws {
        try bench.open()
        let probe = try bench.send()
        let first = bench.answer(probe)
        bench.peer.forward += 40_000
        let second = bench.answer(probe)
        bench.move(by: millisecond)
        bench.receive(first)
        bench.move(by: 1000)
        bench.receive(second)
        #expect(bench.totals.sequence.duplicatedForward == 1 && bench.totals.sequence.duplicatedReverse == 0)
        #expect(bench.totals.received == 1)
        try bench.exchange()
        let probes = bench.host.rows(.probe, 1)
        #expect(probes.map(\.status) == [.ok, .duplicate])
        #expect(probes.map(\.replySequence) == [1, 2])
        #expect(probes[1].receiveSoftware! - probes[0].receiveSoftware! == 40_000)
        let replies = bench.host.rows(.reply, 1)
        #expect(Set(replies.map(\.status)) == [.ok, .duplicate])
        let copy = try #require(replies.first { $0.status == .duplicate })
        #expect(copy.replySequence == 2)
        #expect(copy.transmitApp == second.transmitted)
        #expect(copy.receiveApp == probe.sentAt + millisecond + 1000 + bench.realtime - bench.now)
        let original = try #require(replies.first { $0.status == .ok })
        #expect(original.replySequence == 1 && original.transmitApp == first.transmitted)
        #expect(original.transmitSoftware == first.transmitted + ScriptedPeer.driverTime)
        #expect(bench.host.lateness.compactMap(\.self).count == 2, "a copy has no deadline")
    }

    @Test func `A duplicated reply has one more row`() throws {
        try bench.open()
        let probe = try bench.send()
        let reply = bench.answer(probe)
        bench.move(by: millisecond)
        bench.receive(reply)
        bench.receive(reply)
        #expect(bench.totals.sequence.duplicatedForward == 0 && bench.totals.sequence.duplicatedReverse == 1)
        #expect(bench.host.rows(.probe, 1).map(\.status) == [.ok])
        #expect(bench.host.rows(.reply, 1).map(\.status) == [.duplicate])
        #expect(bench.totals.received == 1)
    }

    @Test func `Each copy counts`() throws {
        try bench.open()
        let probe = try bench.send()
        let replies = (0..<3).map { _ in bench.answer(probe) }
        for reply in replies { bench.receive(reply) }
        bench.receive(replies[0])
        #expect(bench.totals.sequence.duplicatedForward == 2)
        #expect(bench.totals.sequence.duplicatedReverse == 1)
    }

    @Test func `Duplicates of opening probes have no rows`() throws {
        let probe = try bench.send()
        let reply = bench.answer(probe)
        bench.receive(reply)
        bench.receive(reply)
        bench.receive(bench.answer(probe))
        #expect(bench.host.rows.isEmpty)
        #expect(bench.totals.sequence == RunSummary.SequenceTotals())
    }

    @Test func `Timestamps of the second reply to a duplicated probe are not those of the first`() throws {
        try bench.open()
        let probe = try bench.send()
        let first = bench.answer(probe)
        _ = bench.answer(probe)
        // The report of both, and the second one's as the newer.
        bench.move(by: millisecond)
        bench.receive(first)
        try bench.exchange()
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.replySequence == 1)
        #expect(reply.transmitSoftware == first.transmitted + ScriptedPeer.driverTime)
    }

    @Test func `The report of the second reply can arrive before the first reply`() throws {
        try bench.open()
        let probe = try bench.send()
        let first = bench.answer(probe)
        _ = bench.answer(probe)
        _ = bench.answer(probe)
        // The sets are of the third and the second reply.
        let next = bench.answer(try bench.send())
        bench.receive(next)
        #expect(bench.host.rows(.reply, 1).isEmpty)
        bench.receive(first)
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.replySequence == 1)
        #expect(bench.host.rows(.reply, 1).isEmpty, "the first reply's own timestamps are not known")
        bench.wait(second)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitApp == first.transmitted && reply.transmitSoftware == nil)
        #expect(reply.transmitMissing == .notReceived)
    }

    @Test func `The report of a reply can arrive before the reply, which then completes both rows`() throws {
        try bench.open()
        let probe = try bench.send()
        let first = bench.answer(probe)
        bench.receive(bench.answer(try bench.send()))
        #expect(bench.host.rows(.probe, 1).isEmpty)
        bench.receive(first)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitSoftware == first.transmitted + ScriptedPeer.driverTime)
        #expect(reply.status == .reordered)
    }
}

@Suite struct ReorderingTests {
    private let bench = SenderBench()

    @Test func `A reply after a later one is reordered in reverse`() throws {
        try bench.open()
        let replies = try bench.send(3).map { bench.answer($0) }
        bench.receive(replies[0])
        bench.receive(replies[2])
        bench.receive(replies[1])
        try bench.exchange()
        bench.wait(second)
        #expect(bench.host.statuses(1) == [.ok, .ok])
        #expect(bench.host.statuses(2) == [.ok, .reordered])
        #expect(bench.host.statuses(3) == [.ok, .ok])
        #expect(bench.totals.sequence.reorderedReverse == 1 && bench.totals.sequence.reorderedForward == 0)
    }

    @Test func `A probe that reached the peer after a later one is reordered forward`() throws {
        try bench.open()
        let probes = try bench.send(3)
        bench.receive(bench.answer(probes[1]))
        bench.receive(bench.answer(probes[0]))
        bench.receive(bench.answer(probes[2]))
        bench.wait(second)
        #expect(bench.host.statuses(1) == [.reordered, .ok])
        #expect(bench.host.statuses(2) == [.ok, .ok])
        #expect(bench.host.statuses(3) == [.ok, .ok])
        #expect(bench.totals.sequence.reorderedForward == 1 && bench.totals.sequence.reorderedReverse == 0)
    }

    @Test func `Late precedes reordered`() throws {
        try bench.open()
        let probes = try bench.send(2)
        let replies = probes.map { bench.answer($0) }
        bench.receive(replies[1])
        bench.move(to: probes[0].sentAt + SenderBench.timeout + 1)
        bench.receive(replies[0])
        bench.wait(second)
        #expect(bench.host.statuses(1) == [.ok, .late])
        #expect(bench.totals.sequence.reorderedReverse == 1 && bench.totals.sequence.late == 1)
    }
}
