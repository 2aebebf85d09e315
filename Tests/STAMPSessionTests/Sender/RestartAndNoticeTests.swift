import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct PeerRestartTests {
    @Test func `Another instance is a restart, and its numbers are not compared with the earlier ones`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange(4)
        bench.peer.restart()
        let first = try bench.exchange()
        try bench.exchange(2)
        #expect(bench.result.peerRestarts == 1)
        #expect(bench.result.firstAnsweredAfterRestart == [first.sequence])
        #expect(bench.host.noticeNames == ["peerAnswered", "peerRestarted"])
        bench.wait(second)
        #expect(bench.totals.sequence == RunSummary.SequenceTotals())
        #expect((1...7).allSatisfy { bench.host.statuses($0) == [.ok, .ok] })
    }

    @Test func `A much older number in the reply to a new probe is a restart`() throws {
        let bench = SenderBench(.stateful)
        bench.peer.next = 1000
        try bench.open()
        try bench.exchange(4)
        bench.peer.next = 3
        let first = try bench.exchange()
        try bench.exchange(2)
        #expect(bench.result.peerRestarts == 1)
        #expect(bench.result.firstAnsweredAfterRestart == [first.sequence])
        #expect(bench.totals.sequence.reorderedReverse == 0)
        try bench.send(2)
        try bench.exchange()
        bench.wait(second)
        #expect(bench.totals.sequence.lostForward == 2, "numbers after the restart are compared")
    }

    @Test func `Notices of restarts are limited, and all are counted`() throws {
        let bench = SenderBench()
        try bench.open()
        for _ in 0..<100 {
            bench.peer.restart()
            try bench.exchange()
        }
        #expect(bench.result.peerRestarts == 100)
        #expect(bench.result.firstAnsweredAfterRestart.count == Outages.limit)
        #expect(bench.host.noticeNames.count { $0 == "peerRestarted" } == 4)
    }
}

@Suite struct SilenceTests {
    @Test func `A silent peer and its return are reported with the time and the probes`() throws {
        let bench = SenderBench()
        try bench.open()
        while bench.now < SenderBench.start + 500 * millisecond { try bench.exchange() }
        let last = bench.now
        let lastRealtime = bench.realtime
        #expect(!bench.isPeerSilent)
        var probes: UInt64 = 0
        while bench.host.notices.count == 1, bench.now < last + 3 * second {
            try bench.send()
            probes += 1
        }
        guard case .noReply(since: lastRealtime, probes: let sent, suppressed: 0)? = bench.host.notices.last else {
            Issue.record("the silence is not reported")
            return
        }
        // The advance comes before the sending.
        #expect(sent == probes - 1)
        #expect(bench.isPeerSilent)
        #expect(
            bench.now >= SenderBench.start + second && bench.now < SenderBench.start + second + SenderBench.interval)
        try bench.exchange()
        guard
            case .repliesAgain(at: bench.realtime, after: bench.now - last, probes: probes + 1)? = bench.host.notices
                .last
        else {
            Issue.record("the return is not reported: \(bench.host.notices.last.debugDescription)")
            return
        }
        bench.wait(second)
        #expect(bench.host.notices.count == 3)
    }

    @Test func `Silence begins after the timeout and one interval`() throws {
        for (excess, isSilent) in [(0, false), (1, true)] as [(Int64, Bool)] {
            let bench = SenderBench()
            try bench.open()
            // The last reply precedes the report at one second by exactly the timeout and the interval.
            let report = SenderBench.start + second
            let probe = try bench.send()
            bench.move(to: report - SenderBench.timeout - SenderBench.interval - excess)
            bench.receive(bench.answer(probe))
            bench.session.recordSent(try #require(bench.writeNow()).sequence, at: bench.now)
            bench.move(to: report)
            bench.advance()
            #expect(bench.isPeerSilent == isSilent)
            #expect(bench.host.noticeNames.contains("noReply") == isSilent)
        }
    }

    @Test func `A return is the end of the silence`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.send(150)
        #expect(bench.isPeerSilent)
        try bench.exchange()
        while bench.now < SenderBench.start + 2100 * millisecond { try bench.exchange() }
        #expect(!bench.isPeerSilent)
    }

    @Test func `A peer that never answered, or cannot be sent to, is not reported as silent`() throws {
        let never = SenderBench()
        while never.phase == .opening {
            if let probe = never.write() { never.session.recordSent(probe.sequence, at: never.now) }
        }
        try never.send(300)
        #expect(never.host.noticeNames == ["waitingForPeer", "peerSilent"])
        let refused = SenderBench()
        try refused.open()
        for _ in 0..<300 { try refused.refuse() }
        #expect(refused.host.noticeNames == ["peerAnswered", "sendFailing"])
    }

    @Test func `Silence is reported only while measuring`() throws {
        let bench = SenderBench { $0.timeoutNanoseconds = 5 * second }
        try bench.open()
        try bench.exchange()
        try bench.send(3)
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.phase == .closing)
        bench.host.clear()
        for _ in 0..<4 {
            bench.wait(second)
            try bench.send()
        }
        #expect(bench.host.notices.isEmpty && bench.phase == .closing)
    }
}

@Suite struct FinishTests {
    @Test func `Finish writes the rows of all probes, each once`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        try bench.exchange(3)
        for sequence in UInt32(0)...2 { bench.stamp(sequence, .software) }
        try bench.send(2)
        try bench.refuse()
        let result = bench.finish()
        #expect(bench.phase == .over)
        for sequence in UInt32(1)...6 { #expect(bench.host.statuses(sequence) != nil, "\(sequence)") }
        #expect(bench.host.rows.count == 12)
        #expect(bench.host.row(.probe, 3)?.transmitMissing == .closed)
        #expect(bench.host.row(.probe, 2)?.transmitMissing == nil)
        #expect(result.totals.sent == 5 && result.totals.received == 3 && result.totals.notSent == 1)
        #expect(result.totals.sequence.lostUnknown == 2)
        bench.finish()
        #expect(bench.host.rows.count == 12)
    }

    @Test func `A session without probes has an empty result`() {
        let bench = SenderBench()
        let result = bench.finish()
        #expect(bench.host.rows.isEmpty && bench.host.updates.count == 1)
        #expect(result.totals == SessionTotals() && result.ledger.sent == 0 && result.duration == 0)
        #expect(result.relation.peerBootHash == nil)
        #expect(bench.phase == .over && bench.deadline == .max)
    }

    @Test func `After the end, replies and timestamps change no row`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        let probe = try bench.send()
        bench.finish()
        let rows = bench.host.rows
        bench.receive(bench.answer(probe))
        bench.stamp(1, .software)
        bench.wait(second)
        #expect(bench.host.rows == rows)
    }
}
