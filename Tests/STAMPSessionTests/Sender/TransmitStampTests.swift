import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct TransmitStampTests {
    private let all: StampKinds = [.sched, .software, .hardware]
    private let bench = SenderBench(expecting: [.sched, .software, .hardware])

    private func kind(_ place: Int, _ result: SenderResult) -> TimestampLedger.Kind { result.ledger.kinds[place] }

    @Test func `A row has the timestamps of all kinds, whatever their order`() throws {
        for order in [[StampKinds.sched, .software, .hardware], [.hardware, .software, .sched]] {
            let bench = SenderBench(expecting: all)
            try bench.open()
            let probe = try bench.send()
            let sent = bench.realtime
            for kind in order {
                bench.move(by: 2000)
                bench.stamp(1, kind)
            }
            let monotonic = bench.now
            bench.receive(bench.answer(probe))
            let row = try #require(bench.host.row(.probe, 1))
            let place = { (kind: StampKinds) in sent + 2000 * Int64(order.firstIndex(of: kind)! + 1) }
            #expect(row.transmitSched == place(.sched) - 1000)
            #expect(row.transmitSoftware == place(.software))
            #expect(row.transmitHardware == probe.sentAt + 2000 * Int64(order.firstIndex(of: .hardware)! + 1))
            #expect(row.transmitHardwareRealtime == place(.hardware))
            #expect(row.transmitHardwareError == 50)
            #expect(row.transmitMissing == nil)
            #expect(monotonic == probe.sentAt + 6000)
        }
    }

    @Test func `The number of pending probes is that of probes whose timestamps may still arrive`() throws {
        try bench.open()
        try bench.send(2)
        #expect(bench.pendingStamps == 3)
        bench.stamp(1, .sched)
        bench.stamp(1, .software)
        #expect(bench.pendingStamps == 3)
        bench.stamp(1, .hardware)
        bench.stamp(1, .hardware)
        #expect(bench.pendingStamps == 2)
        bench.wait(bench.stampTimeout + 1)
        #expect(bench.pendingStamps == 0)
        bench.stamp(2, .hardware)
        #expect(bench.pendingStamps == 0)
        let none = SenderBench()
        try none.send()
        #expect(none.pendingStamps == 0)
    }

    @Test func `One message can carry several kinds`() throws {
        try bench.open()
        try bench.exchange()
        bench.stamp(1, [.software, .hardware])
        #expect(bench.host.rows.isEmpty)
        bench.stamp(1, .sched)
        #expect(bench.host.rows(.probe, 1).count == 1)
    }

    @Test func `Duplicates, unrequested kinds and timestamps of unknown probes are unknown, and change nothing`() throws
    {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        bench.stamp(0, .software)
        bench.session.record(StampReport(kinds: .software, software: 5), of: 99, at: bench.time)
        try bench.exchange()
        let sent = bench.realtime
        bench.stamp(1, .software)
        bench.move(by: 1000)
        bench.stamp(1, .software)
        bench.stamp(1, .sched)
        bench.stamp(1, .hardware)
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.transmitSoftware == sent && row.transmitSched == nil && row.transmitHardware == nil)
        let result = bench.finish()
        #expect(result.unknownStamps == 4)
        #expect(kind(1, result).stamped == 2 && kind(0, result).unsupported == 2 && kind(2, result).unsupported == 2)
    }

    @Test func `A timestamp is written off when it is older than the caller's limit, and not before`() throws {
        try bench.open()
        let probe = try bench.exchange()
        bench.stamp(1, .sched)
        bench.move(to: probe.sentAt + bench.stampTimeout)
        bench.advance()
        #expect(bench.host.rows(.probe, 1).isEmpty)
        bench.wait(1)
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.transmitMissing == .skippedByDriver)
        #expect(row.transmitSched != nil && row.transmitSoftware == nil && row.transmitHardware == nil)
        let result = bench.finish()
        #expect(kind(0, result).stamped == 1)
        #expect(kind(1, result).skippedByDriver == 2 && kind(2, result).skippedByDriver == 2)
        #expect(kind(0, result).skippedByDriver == 1, "the opening probe's")
        #expect(bench.host.reasonsAsked == 0)
    }

    @Test(arguments: [MissingReason.inFlight, .never, .skippedByDriver, .onlyPTP])
    func `The host gives the reason if nothing but the NIC's timestamp is missing`(_ reason: MissingReason) throws {
        try bench.open()
        for place in [UInt32(0), 1] {
            if place == 1 { try bench.exchange() }
            bench.stamp(place, .sched)
            bench.stamp(place, .software)
        }
        bench.host.reasons = [reason, reason]
        bench.wait(bench.stampTimeout + 1)
        #expect(bench.host.reasonsAsked == 2)
        #expect(bench.host.row(.probe, 1)?.transmitMissing == reason)
        #expect(bench.host.row(.probe, 1)?.transmitSoftware != nil)
        let account = kind(2, bench.finish())
        #expect(account.inFlight == (reason == .inFlight ? 2 : 0))
        #expect(account.never == (reason == .never ? 2 : 0))
        #expect(account.skippedByDriver == ([.skippedByDriver, .onlyPTP].contains(reason) ? 2 : 0))
    }

    @Test func `Timestamps that are missing after a full queue were lost there, and later ones not`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        bench.stamp(0, .software)
        try bench.exchange(2)
        bench.session.recordFullStampQueue()
        try bench.exchange()
        bench.wait(bench.stampTimeout + 1)
        #expect(bench.host.row(.probe, 1)?.transmitMissing == .bufferFull)
        #expect(bench.host.row(.probe, 2)?.transmitMissing == .bufferFull)
        #expect(bench.host.row(.probe, 3)?.transmitMissing == .skippedByDriver)
        try bench.exchange()
        bench.wait(bench.stampTimeout + 1)
        #expect(bench.host.row(.probe, 4)?.transmitMissing == .skippedByDriver)
        let account = kind(1, bench.finish())
        #expect(account.lostInBuffer == 2 && account.skippedByDriver == 2 && account.stamped == 1)
    }

    @Test func `A timestamp that arrives after its write-off is late, and changes no row`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        bench.stamp(0, .software)
        try bench.exchange()
        bench.wait(bench.stampTimeout + 1)
        let row = bench.host.row(.probe, 1)
        #expect(row?.transmitMissing == .skippedByDriver)
        bench.stamp(1, .software)
        #expect(bench.host.row(.probe, 1) == row)
        let account = kind(1, bench.finish())
        #expect(account.late == 1 && account.skippedByDriver == 0 && account.stamped == 1)
        #expect(bench.finish().unknownStamps == 0)
    }

    @Test func `Timestamps that are still awaited at the end stay pending, and their rows say so`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        bench.stamp(0, .software)
        try bench.exchange()
        let result = bench.finish()
        #expect(kind(1, result).pending == 1 && kind(1, result).stamped == 1)
        #expect(bench.host.row(.probe, 1)?.transmitMissing == .closed)
    }

    @Test func `A NIC's timestamp is converted only if it lies between the send call and now`() throws {
        for (offset, isPlausible) in [
            (0, true), (1000, true), (-50, true), (-51, false), (1050, true), (1051, false),
        ] as [(Int64, Bool)] {
            let bench = SenderBench(expecting: .hardware)
            try bench.open()
            let probe = try bench.send()
            let sent = bench.realtime
            bench.move(by: 1000)
            bench.session.record(
                StampReport(
                    kinds: .hardware, hardware: HardwareStamp(time: 42, realtime: sent + offset, error: 50)),
                of: 1, at: bench.time)
            bench.receive(bench.answer(probe))
            let row = try #require(bench.host.row(.probe, 1))
            #expect(row.transmitHardware == 42)
            #expect(row.transmitHardwareRealtime == (isPlausible ? sent + offset : nil), "\(offset)")
        }
    }

    @Test func `After a clock step, the NIC's timestamp of an earlier probe is not converted`() throws {
        let bench = SenderBench(expecting: .hardware)
        try bench.open()
        let probe = try bench.send()
        bench.stepClock(by: second)
        bench.stamp(1, .hardware)
        bench.receive(bench.answer(probe))
        let row = try #require(bench.host.row(.probe, 1))
        #expect(row.transmitHardware != nil && row.transmitHardwareRealtime == nil)
    }

    @Test func `The low bits of a number find the newest probe that has them`() throws {
        try bench.open()
        for _ in 0..<20 { try bench.refuse() }
        // The newest is 20.
        #expect(bench.sequence(ofBits: 4, width: 4) == 20)
        #expect(bench.sequence(ofBits: 3, width: 4) == 19)
        #expect(bench.sequence(ofBits: 5, width: 4) == 5)
        #expect(bench.sequence(ofBits: 20, width: 32) == 20)
        #expect(bench.sequence(ofBits: 21, width: 32) == 21)
        #expect(bench.sequence(ofBits: 0, width: 16) == 0)
    }

    @Test func `A probe that loses its slot early gives up its timestamps`() throws {
        let bench = SenderBench(expecting: .software)
        try bench.open()
        bench.stamp(0, .software)
        let probe = try bench.exchange()
        // The caller sends without an advance, which would write it off.
        func sendNow() throws {
            bench.move(to: bench.nextSend)
            bench.session.recordSent(try #require(bench.writeNow()).sequence, at: bench.now)
        }
        for _ in 0..<bench.capacity - 2 { try sendNow() }
        #expect(bench.host.rows(.probe, 1).isEmpty, "probe 0 and 35 others are kept")
        try sendNow()
        #expect(bench.host.rows(.probe, 1).isEmpty, "probe 1 and 35 others are kept")
        try sendNow()
        #expect(bench.host.row(.probe, 1)?.transmitMissing == .late)
        #expect(bench.host.row(.reply, 1)?.transmitMissing == .notReceived)
        #expect(probe.sequence == 1 && bench.totals.received == 1)
        bench.stamp(1, .software)
        let result = bench.finish()
        #expect(kind(1, result).skippedByDriver == 1)
        #expect(kind(1, result).sum == result.ledger.sent)
        #expect(result.unknownStamps == 1)
        #expect(bench.host.rows.count == 2 * Int(result.totals.sent))
    }
}
