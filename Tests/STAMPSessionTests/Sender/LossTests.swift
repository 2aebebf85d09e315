import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct LossTests {
    private func losses(_ bench: SenderBench) -> [UInt64] {
        let totals = bench.totals.sequence
        return [totals.lostForward, totals.lostReverse, totals.lostUnknown]
    }

    /// Sends a probe that the peer answers, with a reply that is lost.
    private func loseReply(_ bench: SenderBench) throws {
        let probe = try bench.send()
        _ = bench.answer(probe)
    }

    @Test func `The rows of an unanswered probe are written after twice the timeout, and not before`() throws {
        let bench = SenderBench()
        try bench.open()
        let probe = try bench.send()
        try bench.exchange(2)
        bench.move(to: probe.sentAt + 2 * SenderBench.timeout)
        bench.advance()
        #expect(bench.host.rows(.probe, 1).isEmpty && losses(bench) == [0, 0, 0])
        bench.wait(1)
        #expect(bench.host.statuses(1) == [.lost, .absent])
        #expect(losses(bench) == [1, 0, 0])
        let rows = [bench.host.row(.probe, 1)!, bench.host.row(.reply, 1)!]
        #expect(rows.allSatisfy { $0.delay == nil && $0.replySequence == nil })
        #expect(rows[0].receiveMissing == .notReceived)
    }

    @Test(arguments: [ScriptedPeer.Kind.paired, .followUps, .stateful])
    func `A peer that sent no reply in between has not received the probes`(_ kind: ScriptedPeer.Kind) throws {
        let bench = SenderBench(kind)
        try bench.open()
        try bench.exchange()
        try bench.send(3)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [3, 0, 0])
        for sequence in UInt32(2)...4 { #expect(bench.host.statuses(sequence) == [.lost, .absent]) }
    }

    @Test(arguments: [ScriptedPeer.Kind.followUps, .stateful])
    func `A peer that sent as many replies as probes are missing has answered them`(_ kind: ScriptedPeer.Kind) throws {
        let bench = SenderBench(kind)
        try bench.open()
        // Its numbers are not those of the probes.
        bench.peer.next += 10
        try bench.exchange()
        for _ in 0..<3 { try loseReply(bench) }
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 3, 0])
        for sequence in UInt32(2)...4 { #expect(bench.host.statuses(sequence) == [.ok, .lost]) }
    }

    @Test func `Fewer unknown replies than missing probes leave the direction unknown`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        try loseReply(bench)
        try bench.send()
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 2])
        #expect(bench.host.statuses(2) == [.unknown, .unknown])
    }

    @Test func `More unknown replies than missing probes leave the direction unknown`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        let probe = try bench.send()
        // The probe was duplicated, and both replies were lost.
        _ = bench.answer(probe)
        _ = bench.answer(probe)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 1])
    }

    @Test func `The peer's telemetry decides the direction of each probe`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange()
        try bench.send()
        try loseReply(bench)
        try bench.send()
        try bench.exchange(2)
        bench.wait(second)
        #expect(bench.host.statuses(2) == [.lost, .absent])
        #expect(bench.host.statuses(3) == [.ok, .lost])
        #expect(bench.host.statuses(4) == [.lost, .absent])
        #expect(losses(bench) == [2, 1, 0])
    }

    @Test func `A probe whose reply was lost has its receive timestamps, and the lost reply its transmit timestamps`()
        throws
    {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange()
        let probe = try bench.send()
        let lost = bench.answer(probe)
        try bench.exchange(2)
        bench.wait(second)
        let row = try #require(bench.host.row(.probe, 2))
        #expect(row.receiveSoftware == lost.received && row.delay == 100_000)
        #expect(row.status == .ok)
        let reply = try #require(bench.host.row(.reply, 2))
        #expect(reply.transmitSoftware == lost.transmitted + ScriptedPeer.driverTime)
        #expect(reply.replySequence == lost.sequence)
        #expect(reply.ttl == nil && reply.dscp == nil && reply.delay == nil && reply.receiveApp == nil)
    }

    @Test func `The receipt alone proves that a probe reached the peer`() throws {
        let bench = SenderBench()
        bench.peer.reportsTransmit = false
        try bench.open()
        try bench.exchange()
        try loseReply(bench)
        try bench.exchange(2)
        bench.wait(second)
        #expect(bench.host.statuses(2) == [.ok, .lost])
    }

    @Test func `A refused probe is not missing, and has no direction`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        try loseReply(bench)
        try bench.refuse()
        try loseReply(bench)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 2, 0])
        #expect(bench.host.statuses(3) == [.notSent, .absent])
    }

    @Test func `A stateless peer never shows the direction`() throws {
        let bench = SenderBench(.stateless)
        try bench.open()
        try bench.exchange()
        try bench.send(2)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 2])
    }

    @Test func `Without a later reply the direction is unknown`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange()
        try bench.send(3)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 3])
        try bench.exchange()
        #expect(losses(bench) == [0, 0, 3], "the verdict is final")
    }

    @Test func `A reply that may answer a reordered probe of the gap leaves the direction unknown`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        let missing = try bench.send()
        let probe = try bench.send()
        bench.receive(bench.answer(probe))
        // The peer receives probe 2 after probe 3, and its reply is lost.
        _ = bench.answer(missing)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 1])
    }

    @Test func `A paired peer reports a reordered probe whose reply is lost`() throws {
        let bench = SenderBench()
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        let missing = try bench.send()
        let probe = try bench.send()
        bench.receive(bench.answer(probe))
        _ = bench.answer(missing)
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 1, 0])
        #expect(bench.host.statuses(2) == [.ok, .lost])
    }

    @Test func `After an outage of more than twice the timeout, the losses at its end have a direction`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange(2)
        let probes = try bench.send(100)
        #expect(bench.host.statuses(probes[0].sequence) == [.unknown, .unknown])
        try bench.exchange(2)
        bench.wait(second)
        // The first ones were written off during the outage, without a reply after them.
        #expect(losses(bench) == [20, 0, 80])
        #expect(bench.host.statuses(probes[99].sequence) == [.lost, .absent])
        let outage = try #require(bench.finish().outages.listed.first)
        #expect(outage.probes == 100 && outage.firstSequence == probes[0].sequence && !outage.isOpen)
        #expect(outage.lostForward == 20 && outage.lostUnknown == 80)
        #expect(outage.duration == 100 * SenderBench.interval)
    }

    @Test func `Replies that were sent during a long outage leave its end unknown without telemetry`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange(2)
        for _ in 0..<60 { try loseReply(bench) }
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 60])
    }

    @Test func `A gap within the kept probes is judged by the probe before it, also if that is finished`() throws {
        let bench = SenderBench(.stateful)
        try bench.open()
        bench.peer.next += 10
        try bench.exchange()
        for _ in 0..<15 { try loseReply(bench) }
        try bench.exchange()
        bench.wait(second)
        #expect(losses(bench) == [0, 15, 0])
    }

    @Test func `Losses before and after a restart of the peer are not compared`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange(3)
        try bench.send(2)
        bench.peer.restart()
        try bench.exchange(2)
        bench.wait(second)
        #expect(losses(bench) == [0, 0, 2])
    }

    @Test func `The losses of a session add up with its replies`() throws {
        let bench = SenderBench()
        try bench.open()
        for round in 0..<200 {
            switch round % 7 {
            case 2: try bench.send()
            case 3, 5: try loseReply(bench)
            default: try bench.exchange()
            }
        }
        try bench.exchange(2)
        bench.wait(second)
        bench.finish()
        #expect(bench.totals.sent == bench.totals.received + losses(bench).reduce(0, +))
        #expect(losses(bench) == [29, 57, 0])
        #expect(bench.host.rows.count == 2 * Int(bench.totals.sent))
    }

    @Test func `An outage that lasts to the end is open, and one before the last replies is not`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange()
        try bench.send(40)
        bench.wait(300 * millisecond)
        let result = bench.finish()
        #expect(result.outages.count == 1 && result.outages.probes == 40)
        #expect(result.outages.open?.probes == 40)
        #expect(result.outages.open?.duration == 39 * SenderBench.interval)
        let other = SenderBench()
        try other.open()
        try other.exchange()
        try other.send(40)
        other.session.requestStop(.finish)
        other.advance()
        try other.exchange()
        #expect(other.finish().outages.open == nil)
        #expect(other.result.outages.count == 1)
    }
}
