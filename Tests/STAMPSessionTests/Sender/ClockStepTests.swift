import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct SenderClockTests {
    private let bench = SenderBench()

    private func epoch(_ packet: PacketKind, _ sequence: UInt32) -> UInt16? {
        bench.host.row(packet, sequence)?.clockEpoch
    }

    @Test func `A local step begins a clock epoch, and packets on the path belong to none`() throws {
        try bench.open()
        try bench.exchange(2)
        let probe = try bench.send()
        let reply = bench.answer(probe)
        bench.stepClock(by: second)
        bench.receive(reply)
        let next = try bench.exchange()
        try bench.exchange(2)
        #expect(epoch(.probe, 1) == 0 && epoch(.probe, 2) == 0 && epoch(.reply, 1) == 0)
        #expect(bench.host.row(.probe, 3) != nil && epoch(.probe, 3) == nil)
        #expect(bench.host.row(.reply, 3) != nil && epoch(.reply, 3) == nil)
        #expect(bench.host.row(.probe, 3)?.delay == nil && bench.host.row(.reply, 3)?.delay == nil)
        #expect(epoch(.probe, next.sequence) == 1 && epoch(.reply, next.sequence) == 1)
        #expect(bench.host.row(.probe, next.sequence)?.delay == 100_000 - second)
        let step = try #require(bench.result.clockSteps.listed.first)
        #expect(bench.result.clockSteps.count == 1)
        #expect(step.side == .local && step.epoch == 1 && step.amount == second && step.error == 500)
        #expect(step.sequence == 4)
        #expect(bench.host.noticeNames == ["peerAnswered", "clockSet"])
        guard case .clockSet(let reported)? = bench.host.notices.last else { return }
        #expect(reported == step)
    }

    @Test func `An unanswered probe from before a step has no clock epoch, and nor has a duplicate of it`() throws {
        try bench.open()
        try bench.exchange()
        let probe = try bench.exchange()
        try bench.send()
        bench.stepClock(by: -second)
        bench.receive(bench.answer(probe))
        bench.wait(second)
        #expect(bench.host.row(.probe, 3) != nil && epoch(.probe, 3) == nil)
        let copies = bench.host.rows(.probe, 2)
        #expect(copies.map(\.status) == [.ok, .duplicate])
        #expect(copies.map(\.clockEpoch) == [0, nil])
    }

    @Test func `Steps before the measurement are not listed`() throws {
        bench.stepClock(by: second)
        #expect(bench.result.clockSteps.count == 1)
        #expect(bench.host.noticeNames == ["clockSet"])
        try bench.open()
        #expect(bench.result.clockSteps.count == 0)
        try bench.exchange(2)
        #expect(epoch(.probe, 1) == 0)
    }

    @Test(arguments: [7 * second, -3 * second])
    func `A step that the peer reports is found with the next reply, and its size with the one after`(
        _ amount: Int64
    ) throws {
        try bench.open()
        try bench.exchange(2)
        bench.peer.offset += amount
        bench.peer.clockSteps = 1
        let first = try bench.exchange()
        #expect(bench.result.clockSteps.count == 1)
        let step = try #require(bench.result.clockSteps.listed.first)
        #expect(step.side == .peer && step.epoch == 1)
        #expect(step.amount == nil)
        #expect(step.sequence == first.sequence + 1)
        #expect(bench.host.noticeNames == ["peerAnswered"], "the notice waits for the size")
        try bench.exchange()
        let settled = try #require(bench.result.clockSteps.listed.first)
        #expect(abs((settled.amount ?? 0) - amount) <= settled.error ?? 0)
        #expect((settled.error ?? .max) < 4 * millisecond)
        #expect(bench.host.noticeNames == ["peerAnswered", "clockSet"])
        guard case .clockSet(let reported)? = bench.host.notices.last else { return }
        #expect(reported == settled)
        try bench.exchange(2)
        #expect(bench.result.clockSteps.count == 1)
        #expect(epoch(.probe, first.sequence) == nil && bench.host.row(.probe, first.sequence) != nil)
        #expect(epoch(.probe, first.sequence + 1) == 1 && epoch(.reply, first.sequence + 1) == 1)
    }

    @Test func `A reply from before the peer's step whose report comes after it has no clock epoch`() throws {
        try bench.open()
        try bench.exchange(2)
        bench.peer.clockSteps = 1
        try bench.exchange(3)
        #expect(epoch(.probe, 2) == 0)
        #expect(bench.host.row(.reply, 2) != nil && epoch(.reply, 2) == nil)
        #expect(epoch(.reply, 4) == 1)
    }

    @Test func `The step of a peer that reports none is proven by the exchanges`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        try bench.exchange(5)
        bench.peer.offset += second
        let first = try bench.exchange()
        #expect(bench.result.clockSteps.count == 1)
        #expect(bench.host.row(.probe, first.sequence)?.clockEpoch == nil)
        #expect(bench.host.row(.probe, first.sequence)?.delay == nil)
        try bench.exchange(3)
        let step = try #require(bench.result.clockSteps.listed.first)
        #expect(step.side == .peer && abs((step.amount ?? 0) - second) <= step.error ?? 0)
        #expect(bench.host.row(.probe, first.sequence + 1)?.clockEpoch == 1)
        #expect(bench.result.clockSteps.count == 1)
        #expect(bench.host.noticeNames == ["peerAnswered", "clockSet"])
    }

    @Test func `A peer whose clock is set between T2 and T3 has no delays for that exchange`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        try bench.exchange(5)
        bench.peer.residence += second
        let probe = try bench.send()
        let reply = bench.answer(probe)
        bench.move(by: millisecond)
        bench.receive(reply)
        #expect(bench.host.row(.probe, 6)?.clockEpoch == nil && bench.host.row(.probe, 6) != nil)
        #expect(bench.result.clockSteps.count == 0)
    }

    @Test func `A step whose size is never found is reported at the end, or before the next step`() throws {
        try bench.open()
        try bench.exchange(2)
        bench.peer.clockSteps = 1
        try bench.exchange()
        bench.peer.clockSteps = 2
        try bench.exchange()
        #expect(bench.host.noticeNames == ["peerAnswered", "clockSet"])
        bench.finish()
        #expect(bench.host.noticeNames == ["peerAnswered", "clockSet", "clockSet"])
        #expect(bench.result.clockSteps.listed.map(\.amount) == [nil, nil])
        #expect(bench.result.clockSteps.listed.map(\.epoch) == [1, 2])
    }

    @Test func `A local step is reported after the pending one of the peer`() throws {
        try bench.open()
        try bench.exchange(2)
        bench.peer.clockSteps = 1
        try bench.exchange()
        bench.stepClock(by: second)
        #expect(bench.host.notices.count == 3)
        guard case .clockSet(let peer) = bench.host.notices[1], case .clockSet(let local) = bench.host.notices[2]
        else {
            Issue.record("two steps are reported")
            return
        }
        #expect(peer.side == .peer && local.side == .local)
        bench.finish()
        #expect(bench.host.notices.count == 3)
    }

    @Test func `A peer on another kernel than before had its clock set`() throws {
        try bench.open()
        try bench.exchange(2)
        bench.peer.bootHash += 1
        try bench.exchange(3)
        #expect(bench.result.clockSteps.count == 1)
        #expect(epoch(.probe, 5) == 1)
    }

    @Test func `A restarted peer counts its steps anew`() throws {
        bench.peer.clockSteps = 9
        try bench.open()
        try bench.exchange(2)
        bench.peer.restart()
        bench.peer.clockSteps = 12
        try bench.exchange(3)
        #expect(bench.result.clockSteps.count == 0)
        #expect(bench.result.peerRestarts == 1)
    }

    @Test func `On one clock, a step of it is the peer's too, and no proof of two clocks`() throws {
        let bench = SenderBench(expecting: .software)
        bench.stampsDriver = true
        bench.peer.bootHash = 0x1111
        try bench.open()
        try bench.exchange(3)
        #expect(bench.host.row(.probe, 2)?.delayError == 1)
        // The clock that both ends read.
        bench.stepClock(by: second)
        bench.peer.offset += second
        bench.peer.clockSteps = 1
        try bench.exchange(5)
        #expect(bench.result.clockSteps.count == 1)
        #expect(bench.result.relation.isOneClock)
        #expect(bench.host.row(.probe, 7)?.delayError == 1)
    }

    @Test func `On two clocks, a step of this one moves the bounds of their offset`() throws {
        try bench.open()
        try bench.exchange(5)
        bench.stepClock(by: 100 * second)
        try bench.exchange(5)
        #expect(bench.result.clockSteps.count == 1, "no step of the peer")
        bench.stepClock(by: -100 * second)
        try bench.exchange(5)
        #expect(bench.result.clockSteps.count == 2)
    }

    @Test func `The errors of two synchronised clocks bound the delay's error`() throws {
        let bench = SenderBench(expecting: .software)
        bench.stampsDriver = true
        bench.peer.estimate = ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: 3000)
        try bench.open()
        try bench.exchange(2)
        let bound = bench.estimate.errorNanoseconds! + bench.peer.estimate.errorNanoseconds!
        #expect(bench.host.row(.probe, 1)?.delayError == bound)
        #expect(bench.host.row(.reply, 1)?.delayError == bound)
    }

    @Test func `Impossible delays between equal boot IDs are reported once, and their row is relative`() throws {
        let bench = SenderBench(expecting: .software)
        bench.stampsDriver = true
        bench.peer.bootHash = 0x1111
        try bench.open()
        try bench.exchange(2)
        #expect(bench.host.row(.probe, 2)?.delayError == 1)
        bench.peer.offset = -200_000
        try bench.exchange(3)
        #expect(bench.host.row(.probe, 3)?.delayError == nil)
        #expect(bench.host.row(.probe, 3)?.delay == -101_000)
        #expect(bench.host.noticeNames == ["peerAnswered", "clocksDisagree"])
        #expect(bench.result.relation.disagrees)
    }

    @Test func `An impossible delay in reverse is found too`() throws {
        let bench = SenderBench(expecting: .software)
        bench.stampsDriver = true
        bench.peer.bootHash = 0x1111
        try bench.open()
        try bench.exchange(2)
        bench.peer.offset = 200_000
        try bench.exchange(2)
        #expect(bench.result.relation.disagrees)
        #expect(bench.host.row(.reply, 3)?.delayError == nil)
    }

    @Test func `The epoch label ends at 65,535, and steps beyond the list are counted`() throws {
        try bench.open()
        for _ in 0..<UInt64(ClockSteps.limit) + 3 { bench.stepClock(by: 1000) }
        #expect(bench.result.clockSteps.count == UInt64(ClockSteps.limit) + 3)
        #expect(bench.result.clockSteps.listed.count == ClockSteps.limit)
        #expect(bench.host.notices.count == 1 + ClockSteps.limit, "the limit applies to notices too")
    }
}

@Suite struct HardwareDelayTests {
    @Test func `With hardware timestamps only, a row without the peer's has no delay and the reason`() throws {
        let bench = SenderBench(expecting: [.software, .hardware]) { $0.usesHardwareOnly = true }
        try bench.open()
        try bench.exchange()
        bench.stamp(1, .software)
        bench.stamp(1, .hardware)
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.delay == nil)
        #expect(row.receiveMissing == .unsupported && row.transmitMissing == nil)
        try bench.exchange()
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitMissing == .unsupported && reply.delay == nil)
        let other = SenderBench(expecting: [.software, .hardware])
        try other.open()
        try other.exchange()
        other.stamp(1, .software)
        other.stamp(1, .hardware)
        try other.exchange()
        #expect(other.host.row(.probe, 1)?.receiveMissing == nil && other.host.row(.probe, 1)?.delay != nil)
        #expect(other.host.row(.reply, 1)?.transmitMissing == nil)
    }
}
