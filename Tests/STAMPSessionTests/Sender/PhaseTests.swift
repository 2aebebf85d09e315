import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct OpeningPhaseTests {
    private let bench = SenderBench()

    @Test func `The first probe is due at once, whatever the phase of the session`() {
        #expect(bench.deadline == SenderBench.start)
        #expect(bench.isProbeDue(at: SenderBench.start))
        #expect(!bench.isProbeDue(at: SenderBench.start - 1))
        let later = SenderBench { $0.phaseNanoseconds = 3 * millisecond }
        #expect(later.deadline == SenderBench.start)
    }

    @Test(arguments: [(1, 50), (49, 50), (50, 50), (51, 51), (3000, 3000)] as [(Int64, Int64)])
    func `Opening probes are an interval apart, and at least 50 ms`(interval: Int64, gap: Int64) throws {
        let bench = SenderBench { $0.intervalNanoseconds = interval * millisecond }
        try bench.send()
        #expect(bench.nextSend == bench.now + gap * millisecond)
        bench.wait(gap * millisecond + 7)
        try bench.send()
        #expect(bench.nextSend == bench.now + gap * millisecond, "from the sending, not from the deadline")
    }

    @Test func `Opening probes are marked, have no rows, and count apart`() throws {
        let probe = try bench.exchange()
        #expect(probe.paired?.isClosing == true)
        bench.wait(SenderBench.timeout * 3)
        #expect(bench.host.rows.isEmpty)
        #expect(bench.totals.sent == 0 && bench.totals.received == 0)
        #expect(bench.result.uncountedProbes == 1)
        #expect(bench.result.hasAnswered)
    }

    @Test func `The measurement begins with the advance after the first reply`() throws {
        try bench.exchange()
        #expect(bench.phase == .opening)
        #expect(bench.host.noticeNames == ["peerAnswered"])
        guard case .peerAnswered(isPaired: true)? = bench.host.notices.first else {
            Issue.record("the peer is paired")
            return
        }
        bench.advance()
        #expect(bench.phase == .measuring)
        #expect(bench.nextSend == bench.now + millisecond)
    }

    @Test func `The first measured probe is due 1 ms after the first reply, or an interval if that is less`() throws {
        for (interval, wait) in [(2, 1_000_000), (1, 1_000_000)] as [(Int64, Int64)] {
            let bench = SenderBench { $0.intervalNanoseconds = interval * millisecond }
            try bench.open()
            #expect(bench.nextSend == bench.now + wait)
        }
        let fast = SenderBench { $0.intervalNanoseconds = 200_000 }
        try fast.open()
        #expect(fast.nextSend == fast.now + 200_000)
    }

    /// The measurement begins 270 µs after the session, and its first probe is due 1 ms after that at the earliest.
    @Test(
        arguments: [(3_000_000, 3_000_000), (1_270_000, 1_270_000), (1_269_999, 11_269_999), (0, 10_000_000)]
            as [(Int64, Int64)])
    func `With a phase, deadlines are that of the session and whole intervals after its creation`(
        _ phase: Int64, _ first: Int64
    ) throws {
        let bench = SenderBench { $0.phaseNanoseconds = phase }
        try bench.open()
        #expect(bench.now == SenderBench.start + 270_000)
        #expect(bench.nextSend == SenderBench.start + first)
        try bench.send()
        #expect(bench.nextSend == SenderBench.start + first + SenderBench.interval)
        let late = SenderBench { $0.phaseNanoseconds = phase }
        late.wait(730_000 + 5 * second)
        try late.open()
        #expect((late.nextSend - SenderBench.start - phase) % SenderBench.interval == 0)
        #expect((millisecond..<millisecond + SenderBench.interval).contains(late.nextSend - late.now))
    }

    @Test func `A silent peer is reported after one second, and measured after ten`() throws {
        bench.wait(second)
        #expect(bench.host.notices.isEmpty)
        bench.wait(1)
        guard case .waitingForPeer(seconds: 10)? = bench.host.notices.first else {
            Issue.record("the wait is not reported")
            return
        }
        bench.wait(9 * second - 1)
        #expect(bench.host.noticeNames == ["waitingForPeer"])
        #expect(bench.phase == .opening)
        bench.wait(1)
        #expect(bench.host.noticeNames == ["waitingForPeer", "peerSilent"])
        #expect(bench.phase == .measuring)
        #expect(!bench.result.hasAnswered)
    }

    @Test func `A stop while opening leads to the closing phase, and an abort to the end`() {
        bench.session.requestStop(.finish)
        #expect(bench.phase == .opening, "it takes effect with the next advance")
        bench.advance()
        #expect(bench.phase == .closing)
        let other = SenderBench()
        other.session.requestStop(.abort)
        other.session.requestStop(.finish)
        other.advance()
        #expect(other.phase == .over, "a later request is never less urgent")
    }
}

@Suite struct MeasuringPhaseTests {
    private let bench = SenderBench()

    @Test func `The phase ends with the last probe of the count`() throws {
        let bench = SenderBench { $0.count = 3 }
        try bench.open()
        try bench.exchange(2)
        bench.advance()
        #expect(bench.phase == .measuring)
        #expect(bench.isProbeDue(at: bench.nextSend))
        try bench.exchange()
        #expect(!bench.isProbeDue(at: bench.nextSend + second), "the count is reached")
        #expect(bench.writeNow() == nil)
        bench.advance()
        #expect(bench.phase == .closing)
        #expect(bench.totals.sent == 3 && bench.totals.received == 3)
        #expect(bench.result.uncountedProbes == 1)
    }

    @Test func `Refused probes are part of the count`() throws {
        let bench = SenderBench { $0.count = 2 }
        try bench.open()
        try bench.refuse()
        try bench.exchange()
        bench.advance()
        #expect(bench.phase == .closing)
    }

    @Test func `The duration is that of the measurement`() throws {
        try bench.open()
        let began = bench.now
        try bench.exchange(5)
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.result.duration == bench.now - began)
        bench.wait(second)
        #expect(bench.finish().duration == bench.result.duration)
        #expect(bench.result.duration < 60 * millisecond)
    }

    @Test func `An abort ends every phase at once`() throws {
        try bench.open()
        try bench.send(3)
        bench.session.requestStop(.abort)
        bench.advance()
        #expect(bench.phase == .over)
        #expect(bench.deadline == .max)
        #expect(!bench.isProbeDue(at: .max))
        #expect(bench.writeNow() == nil)
        bench.wait(10 * second)
        #expect(bench.host.rows.isEmpty, "finish writes the rows")
    }

    @Test func `The deadline is the next probe's, and a report waits for a probe that is due within 50 ms`() throws {
        let bench = SenderBench { $0.intervalNanoseconds = 1100 * millisecond }
        try bench.open()
        let report = SenderBench.start + second
        #expect(bench.deadline == bench.nextSend)
        let measured = try bench.send()
        #expect(bench.nextSend == measured.sentAt + 1100 * millisecond)
        #expect(bench.deadline == report)
        // The report at 1 s is due before the probe.
        bench.move(to: report)
        bench.advance()
        #expect(bench.host.updates.count == 1)
        #expect(bench.deadline == bench.nextSend, "the next report is later")
    }

    @Test(arguments: [(49_999_999, true), (50_000_000, false)] as [(Int64, Bool)])
    func `A report waits for a probe if less than 50 ms separate them`(_ distance: Int64, _ waits: Bool) throws {
        let bench = SenderBench { $0.intervalNanoseconds = second + distance }
        try bench.send()
        #expect(bench.deadline == SenderBench.start + second + (waits ? distance : 0))
    }

    @Test func `Totals are updated once a second, and at the end`() throws {
        try bench.open()
        while bench.now < SenderBench.start + 1500 * millisecond { try bench.exchange() }
        #expect(bench.host.updates.count == 1)
        bench.wait(second)
        #expect(bench.host.updates.count == 2)
        let last = bench.host.updates[1]
        #expect(last.sent == bench.totals.sent && last.received == bench.totals.received)
        bench.finish()
        #expect(bench.host.updates.count == 3)
    }

    @Test func `A report is due a second after the last one`() {
        bench.wait(second - 1)
        #expect(bench.host.updates.isEmpty)
        bench.wait(1)
        #expect(bench.host.updates.count == 1)
        bench.wait(second - 1)
        #expect(bench.host.updates.count == 1)
        bench.wait(1)
        #expect(bench.host.updates.count == 2)
    }
}

@Suite struct ClosingPhaseTests {
    private let bench = SenderBench()

    /// Ends the measurement.
    private func close() {
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.phase == .closing)
    }

    @Test func `Closing probes are due at once, seven times 2 ms apart, and then 20 ms`() throws {
        try bench.open()
        try bench.exchange()
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.nextSend == bench.now)
        var gaps: [Int64] = []
        var last = bench.now
        for _ in 0..<10 {
            let probe = try #require(bench.writeNow())
            bench.session.recordSent(probe.sequence, at: bench.now)
            #expect(probe.paired?.isClosing == true)
            gaps.append(bench.nextSend - last)
            last = bench.nextSend
            bench.move(to: last)
        }
        #expect(gaps == Array(repeating: 2 * millisecond, count: 7) + Array(repeating: 20 * millisecond, count: 3))
    }

    @Test func `It ends when the peer has answered the probe with the last report`() throws {
        try bench.open()
        try bench.exchange(3)
        close()
        // The first closing probe still reports the receipt of probe 3, and fetches the follow-up of its reply.
        let first = try bench.send()
        #expect(first.paired?.receive0?.sequence == 3)
        bench.advance()
        #expect(bench.phase == .closing, "the peer may not have received it")
        let reply = bench.answer(first)
        bench.move(by: millisecond)
        bench.receive(reply)
        #expect(bench.host.statuses(3) == [.ok, .ok])
        bench.advance()
        #expect(bench.phase == .closing, "the reply to probe 3 was unfinished when the first was sent")
        try bench.exchange()
        bench.advance()
        #expect(bench.phase == .over)
        #expect(bench.result.uncountedProbes == 3)
    }

    @Test func `A later answered probe ends it too, since it repeats the report`() throws {
        try bench.open()
        try bench.exchange(3)
        close()
        try bench.exchange()
        try bench.send()
        bench.advance()
        #expect(bench.phase == .closing)
        try bench.exchange()
        bench.advance()
        #expect(bench.phase == .over)
    }

    @Test func `It goes through a backlog of reports before it ends`() throws {
        try bench.open()
        let probes = try bench.send(6)
        for probe in probes { bench.receive(bench.answer(probe)) }
        close()
        var reported: Set<UInt32> = []
        for _ in 0..<20 where bench.phase == .closing {
            let probe = try bench.exchange()
            for stamps in [probe.paired?.receive0, probe.paired?.receive1] {
                if let stamps { reported.insert(stamps.sequence) }
            }
            bench.advance()
        }
        #expect(bench.phase == .over)
        #expect(reported == Set(1...6))
    }

    @Test func `It waits for outstanding replies, and for the peer's follow-ups, until the timeout`() throws {
        try bench.open()
        try bench.exchange()
        let unanswered = try bench.send()
        close()
        let began = bench.now
        while bench.now < began + SenderBench.timeout - 20 * millisecond {
            try bench.exchange()
            bench.advance()
            #expect(bench.phase == .closing)
        }
        bench.move(to: began + SenderBench.timeout)
        bench.advance()
        #expect(bench.phase == .closing)
        bench.wait(1)
        #expect(bench.phase == .over)
        #expect(bench.host.rows(.probe, unanswered.sequence).isEmpty)
        bench.finish()
        #expect(bench.host.statuses(unanswered.sequence) == [.lost, .absent])
    }

    @Test(arguments: [ScriptedPeer.Kind.stateful, .stateless])
    func `A peer without telemetry needs no report`(_ kind: ScriptedPeer.Kind) throws {
        let bench = SenderBench(kind)
        try bench.open()
        try bench.exchange(2)
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.phase == .closing)
        bench.advance()
        #expect(bench.phase == .over)
        #expect(bench.result.uncountedProbes == 1)
    }

    @Test func `A paired peer needs no report if no probe was sent`() throws {
        try bench.open()
        try bench.refuse()
        close()
        bench.advance()
        #expect(bench.phase == .over)
    }

    @Test func `Without any probe it ends at once`() {
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.phase == .closing)
        bench.advance()
        #expect(bench.phase == .over)
    }

    @Test func `An abort ends it`() throws {
        try bench.open()
        try bench.send()
        close()
        bench.session.requestStop(.abort)
        bench.advance()
        #expect(bench.phase == .over)
    }
}
