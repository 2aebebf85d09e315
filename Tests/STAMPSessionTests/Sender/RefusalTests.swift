import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct RefusalTests {
    private let bench = SenderBench(expecting: [.sched, .software])

    @Test func `A refused probe gets its two rows at once, with the errno and without timestamps of the path`() throws {
        try bench.open()
        try bench.refuse(code: 105)
        #expect(bench.host.statuses(1) == [.notSent, .absent])
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.sendError == 105)
        #expect(row.transmitApp == bench.realtime)
        #expect(row.delay == nil && row.transmitMissing == nil && row.receiveMissing == nil)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.sendError == nil && reply.replySequence == nil)
        #expect(reply.transmitMissing == nil && reply.receiveMissing == nil)
        #expect(bench.host.lateness == [nil, nil])
    }

    @Test func `It is counted apart, waits for no timestamp, and is no loss`() throws {
        try bench.open()
        bench.stamp(0, .sched)
        bench.stamp(0, .software)
        try bench.refuse()
        try bench.exchange()
        bench.stamp(2, .sched)
        bench.stamp(2, .software)
        try bench.exchange()
        bench.stamp(3, .sched)
        bench.stamp(3, .software)
        bench.wait(second)
        let result = bench.finish()
        #expect(result.totals.notSent == 1 && result.totals.sent == 2)
        #expect(result.refusals == 1)
        #expect(result.ledger.sent == 3, "the opening probe and two measured ones")
        #expect(result.ledger.kinds.prefix(2).allSatisfy { $0.stamped == 3 && $0.sum == 3 })
        #expect(result.totals.sequence == RunSummary.SequenceTotals())
        #expect(bench.host.rows.count == 6)
    }

    @Test func `SCHED of a packet that a full queue refused is not unknown`() throws {
        try bench.open()
        try bench.refuse()
        bench.stamp(1, .sched)
        bench.wait(second)
        let result = bench.finish()
        #expect(result.unknownStamps == 0)
        #expect(result.ledger.kinds[0].stamped == 0)
    }

    @Test func `A refused opening probe has no rows, and counts as a refusal`() throws {
        try bench.refuse()
        #expect(bench.host.rows.isEmpty)
        #expect(bench.result.refusals == 1 && bench.totals.notSent == 0 && bench.result.uncountedProbes == 0)
        try bench.open()
        #expect(bench.result.uncountedProbes == 1)
    }

    @Test func `A reply to a refused probe is stray`() throws {
        try bench.open()
        let probe = try bench.refuse()
        bench.receive(bench.answer(probe))
        #expect(bench.result.rejected.stray == 1)
        #expect(bench.totals.received == 0)
        #expect(bench.host.rows.count == 2)
    }

    @Test func `The first refusal and the recovery are reported`() throws {
        try bench.open()
        bench.host.clear()
        try bench.refuse(code: 11)
        try bench.refuse(code: 11)
        #expect(bench.host.noticeNames == ["sendFailing"])
        guard case .sendFailing(code: 11, role: .sender)? = bench.host.notices.first else {
            Issue.record("the refusal has no errno")
            return
        }
        while bench.host.notices.count == 1, bench.now < SenderBench.start + 5 * second { try bench.exchange() }
        guard case .sendWorksAgain(refused: 2, role: .sender)? = bench.host.notices.last else {
            Issue.record("the recovery is not reported")
            return
        }
    }

    @Test func `A probe is recorded as sent or refused once, whatever the caller repeats`() throws {
        try bench.open()
        let probe = try bench.send()
        bench.session.recordSent(probe.sequence, at: bench.now + 5)
        bench.session.recordRefusal(probe.sequence, code: 1, at: bench.time)
        #expect(bench.totals.sent == 1 && bench.totals.notSent == 0 && bench.result.refusals == 0)
        let refused = try bench.refuse()
        bench.session.recordSent(refused.sequence, at: bench.now)
        bench.session.recordRefusal(refused.sequence, code: 1, at: bench.time)
        #expect(bench.totals.sent == 1 && bench.totals.notSent == 1 && bench.result.refusals == 1)
        bench.session.recordSent(99, at: bench.now)
        bench.session.recordRefusal(99, code: 1, at: bench.time)
        #expect(bench.totals.sent == 1 && bench.totals.notSent == 1)
    }

    @Test func `Neither timestamps nor rows are written off before the caller has said whether a probe was sent`()
        throws
    {
        try bench.open()
        let probe = try #require(bench.write())
        let later = try bench.send()
        bench.wait(second)
        #expect(bench.host.rows(.probe, later.sequence).isEmpty, "rows are in the order of probes")
        bench.session.recordSent(probe.sequence, at: bench.now)
        bench.wait(millisecond)
        #expect(bench.host.rows(.probe, probe.sequence).isEmpty, "its timeout begins with the sending")
        bench.wait(second)
        #expect(bench.host.statuses(probe.sequence) == [.unknown, .unknown])
    }

    @Test func `Refusals are part of an outage, with the first errno`() throws {
        try bench.open()
        try bench.exchange()
        for code in 0..<40 as Range<Int32> { try bench.refuse(code: 50 + code) }
        try bench.exchange()
        try bench.exchange()
        bench.wait(second)
        let outage = try #require(bench.finish().outages.listed.first)
        #expect(outage.notSent == 40 && outage.probes == 40)
        #expect(outage.sendError == 50)
        #expect(outage.firstSequence == 2 && !outage.isOpen)
        #expect(outage.duration == 40 * SenderBench.interval)
    }
}
