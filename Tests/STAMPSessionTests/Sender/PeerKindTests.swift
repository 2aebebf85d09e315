import Report
import STAMPWire
import Testing

@testable import STAMPSession

/// Peers that do not answer the paired-timestamps TLV.
@Suite struct PeerKindTests {
    @Test(arguments: [ScriptedPeer.Kind.stateful, .stateless])
    func `Rows of a peer without follow-ups are complete with the reply`(_ kind: ScriptedPeer.Kind) throws {
        let bench = SenderBench(kind)
        try bench.open()
        guard case .peerAnswered(isPaired: false)? = bench.host.notices.first else {
            Issue.record("the peer is not paired")
            return
        }
        let probe = try bench.exchange()
        #expect(bench.host.statuses(1) == [.ok, .ok])
        let t1 = probe.packet.timestampNanoseconds(near: bench.realtime)!
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.receiveApp == t1 + 100_000, "nothing shows who took T2")
        #expect(row.receiveSoftware == nil && row.receiveMissing == .notReceived)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitApp == t1 + 120_000)
        #expect(reply.transmitSoftware == nil && reply.transmitMissing == .noFollowUp)
        #expect(reply.replySequence == 1)
    }

    @Test func `A follow-up is the driver's timestamp of the reply that it names`() throws {
        let bench = SenderBench(.followUps)
        try bench.open()
        try bench.exchange()
        #expect(bench.host.rows(.probe, 1).count == 1 && bench.host.rows(.reply, 1).isEmpty)
        try bench.exchange()
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitSoftware == reply.transmitApp! + ScriptedPeer.driverTime)
        #expect(reply.transmitMissing == nil)
    }

    @Test func `Without its follow-up, a reply has T3 alone`() throws {
        let bench = SenderBench(.followUps)
        try bench.open()
        try bench.exchange()
        _ = bench.answer(try bench.send())
        bench.receive(bench.answer(try bench.send()))
        #expect(bench.host.rows(.reply, 1).isEmpty)
        bench.wait(second)
        let reply = try #require(bench.host.row(.reply, 1))
        #expect(reply.transmitSoftware == nil && reply.transmitMissing == .notReceived)
        #expect(bench.host.statuses(1) == [.ok, .ok])
    }

    @Test func `A follow-up that names no known reply, or repeats one, changes nothing`() throws {
        let bench = SenderBench(.followUps)
        try bench.open()
        try bench.exchange()
        let probe = try bench.send()
        var reply = bench.answer(probe)
        let offset = SenderBench.layout.followUpOffset
        reply.bytes.replaceSubrange(offset..<offset + 4, with: [0, 0, 3, 0])
        bench.receive(reply)
        #expect(bench.host.rows(.reply, 1).isEmpty)
        try bench.exchange()
        #expect(bench.host.rows(.reply, 2).count == 1)
        #expect(bench.host.rows(.reply, 1).isEmpty)
    }

    @Test func `A repeated follow-up does not replace the first`() throws {
        let bench = SenderBench(.followUps)
        try bench.open()
        try bench.exchange()
        try bench.exchange()
        let before = bench.host.row(.reply, 1)
        let probe = try bench.send()
        var reply = bench.answer(probe)
        // Reply 1 again, with another time.
        let offset = SenderBench.layout.followUpOffset
        reply.bytes.replaceSubrange(offset..<offset + 4, with: [0, 0, 0, 1])
        reply.bytes[offset + 11] ^= 0x55
        bench.receive(reply)
        #expect(bench.host.row(.reply, 1) == before)
    }

    @Test func `A follow-up of zeros is none`() throws {
        let bench = SenderBench(.followUps)
        bench.peer.reportsTransmit = false
        try bench.open()
        try bench.exchange(2)
        #expect(bench.host.rows(.reply, 1).isEmpty)
        #expect(bench.host.rows(.probe, 1).count == 1)
    }

    @Test func `A paired peer's own report follows its follow-up`() throws {
        let bench = SenderBench()
        try bench.open()
        try bench.exchange()
        let probe = try bench.send()
        var reply = bench.answer(probe)
        // Without the sets, which begin at byte 6 of the TLV.
        let offset = SenderBench.layout.pairedTimestampsOffset
        reply.bytes[offset + 6] = 0
        bench.move(by: millisecond)
        bench.receive(reply)
        #expect(bench.host.rows(.reply, 1).isEmpty, "SCHED or the NIC's timestamp may follow")
        bench.wait(second)
        let row = try #require(bench.host.row(.reply, 1))
        #expect(row.transmitSoftware == row.transmitApp! + ScriptedPeer.driverTime, "of the follow-up")
    }

    @Test func `TLVs that are malformed, or fail their integrity check, are not used`() throws {
        for flag in [TLV.malformedFlag, TLV.integrityFlag] {
            let bench = SenderBench()
            let probe = try bench.send()
            var reply = bench.answer(probe)
            reply.bytes[SenderBench.layout.timestampInformationOffset - TLV.headerLength] = flag
            bench.receive(reply)
            guard case .peerAnswered(isPaired: false)? = bench.host.notices.first else {
                Issue.record("flag \(flag): the paired-timestamps TLV was used")
                return
            }
        }
    }

    @Test func `A peer that returns a TLV with U set does not know it`() throws {
        let bench = SenderBench()
        let probe = try bench.send()
        var reply = bench.answer(probe)
        reply.bytes[SenderBench.layout.pairedTimestampsOffset - TLV.headerLength] = TLV.unrecognizedFlag
        reply.bytes[SenderBench.layout.followUpOffset - TLV.headerLength] = TLV.unrecognizedFlag
        bench.receive(reply)
        guard case .peerAnswered(isPaired: false)? = bench.host.notices.first else {
            Issue.record("the TLV was used")
            return
        }
        bench.advance()
        bench.peer.kind = .stateful
        try bench.exchange()
        #expect(bench.host.statuses(1) == [.ok, .ok], "no follow-up is awaited")
    }
}
