import STAMPWire
import Testing

@testable import STAMPSession

/// Tests what a run reports of refused packets and of silent peers, and how often.
@Suite struct NoticeTests {
    private static let second: Int64 = 1_000_000_000
    /// CLOCK_REALTIME minus CLOCK_MONOTONIC.
    private static let boot: Int64 = 1_795_000_000_000_000_000

    private func time(_ monotonic: Int64) -> HostTime {
        HostTime(
            monotonic: monotonic, realtime: monotonic + Self.boot, errorEstimate: ErrorEstimate(rawValue: 0))
    }

    @Test func `The first refusal and the recovery are each reported once, with the number of refusals`() throws {
        var health = SendHealth(.sender, interval: 10_000_000)
        guard case .sendFailing(code: 1, role: .sender)? = health.recordRefusal(code: 1, 0) else {
            Issue.record("the first refusal was not reported")
            return
        }
        // Every third packet is refused.
        for round in 1...100 as ClosedRange<Int64> {
            health.recordSend()
            health.recordSend()
            #expect(health.recordRefusal(code: 1, round * 30_000_000) == nil)
            #expect(health.recovery(round * 30_000_000 + 1) == nil)
        }
        health.recordSend()
        #expect(health.recovery(3 * Self.second + Self.second - 1) == nil)
        guard case .sendWorksAgain(refused: 101, role: .sender)? = health.recovery(4 * Self.second) else {
            Issue.record("the recovery was not reported")
            return
        }
        #expect(health.recovery(5 * Self.second) == nil && !health.isFailing)
    }

    @Test func `Sending has not recovered before a packet was accepted`() {
        var health = SendHealth(.reflector, interval: 0)
        for round in 0..<50 as Range<Int64> {
            let notice = health.recordRefusal(code: 1, round * 2 * Self.second)
            #expect((notice == nil) == (round > 0), "reported once")
            #expect(health.recovery(round * 2 * Self.second + Self.second + 1) == nil)
        }
        health.recordSend()
        #expect(health.recovery(200 * Self.second) != nil)
    }

    @Test func `Refusals that come and go are reported four times, and then twice a minute at most`() {
        var health = SendHealth(.reflector, interval: 0)
        var (failures, recoveries) = (0, 0)
        for round in 0..<300 as Range<Int64> {
            let time = round * 2 * Self.second
            if health.recordRefusal(code: 105, time) != nil { failures += 1 }
            health.recordSend()
            if health.recovery(time + Self.second) != nil { recoveries += 1 }
        }
        // Ten minutes.
        #expect(failures == recoveries)
        #expect((5...24).contains(failures), "\(failures)")
    }

    @Test func `A silent peer is reported once, with the probes since its last reply, and so is its return`() {
        var silence = ReplySilence()
        #expect(silence.begin(lastReplyAt: 0, time(Self.second)) == nil, "nothing was sent")
        for _ in 0..<179 { silence.recordSend() }
        guard
            case .noReply(since: Self.boot, probes: 179, suppressed: 0)? = silence.begin(
                lastReplyAt: 0, time(2 * Self.second))
        else {
            Issue.record("the silence was not reported")
            return
        }
        #expect(silence.begin(lastReplyAt: 0, time(3 * Self.second)) == nil)
        silence.recordSend()
        guard
            case .repliesAgain(at: Self.boot + 4_000_000_000, after: 4_000_000_000, probes: 180)? = silence.end(
                lastReplyAt: 0, time(4 * Self.second))
        else {
            Issue.record("the return was not reported")
            return
        }
        silence.recordSend()
        #expect(silence.end(lastReplyAt: 4 * Self.second, time(5 * Self.second)) == nil, "no silence was reported")
    }

    @Test func `Silences beyond the fourth are counted, and reported with a later one`() {
        var silence = ReplySilence()
        var reported: [UInt64] = []
        for round in 0..<20 as Range<Int64> {
            silence.recordSend()
            let last = round * 4 * Self.second
            if case .noReply(since: _, probes: 1, let suppressed)? = silence.begin(
                lastReplyAt: last, time(last + Self.second))
            {
                reported.append(suppressed)
            }
            _ = silence.end(lastReplyAt: last, time(last + 2 * Self.second))
        }
        #expect(reported == [0, 0, 0, 0, 7, 7])
    }
}
