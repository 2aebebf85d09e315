import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct ProbeContentTests {
    private let bench = SenderBench()

    @Test func `Probes are numbered from 0, and a probe of a number that was refused is not sent again`() throws {
        #expect(try bench.exchange().sequence == 0)
        bench.advance()
        #expect(try bench.send().sequence == 1)
        #expect(try bench.refuse().sequence == 2)
        #expect(try bench.send().sequence == 3)
    }

    @Test func `A probe has T1, the error estimate and the SSID`() throws {
        try bench.open()
        bench.move(by: 5 * millisecond + 17)
        let probe = try bench.send()
        let packet = probe.packet
        #expect(packet.timestampNanoseconds(near: bench.realtime) == bench.realtime)
        #expect(packet.errorEstimate == bench.estimate)
        #expect(packet.ssid == 77)
        #expect(packet.sequence == 1)
    }

    @Test func `A probe has the TLVs of the layout, with U set and the requested DSCP`() throws {
        let bench = SenderBench { $0.dscp = 46 }
        let probe = try bench.send()
        var types: [UInt8] = []
        var requested: UInt8?
        let bytes = probe.bytes.span.bytes
        forEachTLV(in: bytes) { tlv in
            types.append(tlv.type)
            if tlv.type == TLVType.classOfService {
                requested = ClassOfService(decoding: bytes.extracting(tlv.value))?.requestedDSCP
            }
            #expect(tlv.flags == TLV.unrecognizedFlag)
        }
        #expect(
            types == [TLVType.timestampInformation, TLVType.followUp, TLVType.pairedTimestamps, TLVType.classOfService])
        #expect(requested == 46)
    }

    @Test func `The paired-timestamps TLV has the facts of session and host`() throws {
        let bench = SenderBench { $0.host = HostIdentity(bootHash: 0x77, hardwareClock: 3) }
        bench.clockSteps = 258
        let paired = try #require(try bench.send().paired)
        #expect(paired.isClosing)
        #expect(paired.instance == 0xA11CE)
        #expect(paired.bootHash == 0x77)
        #expect(paired.hardwareClock == 3)
        #expect(paired.clockSteps == 2, "modulo 256")
        #expect(paired.transmit0 == nil && paired.receive0 == nil)
    }

    @Test func `A payload that is too short gets no probe, and costs no number`() throws {
        #expect(bench.writeNow(room: SenderBench.layout.size - 1) == nil)
        #expect(bench.nextSend == SenderBench.start)
        let probe = try bench.send()
        #expect(probe.sequence == 0)
        #expect(bench.totals.sent == 0 && bench.result.uncountedProbes == 1)
    }

    @Test func `No probe is written before its deadline`() throws {
        try bench.open()
        #expect(bench.writeNow() == nil)
        bench.move(to: bench.nextSend - 1)
        #expect(bench.writeNow() == nil)
        bench.move(by: 1)
        #expect(bench.writeNow()?.sequence == 1)
    }

    @Test func `Measured probes are not marked as closing`() throws {
        try bench.open()
        #expect(try bench.send().paired?.isClosing == false)
    }
}

@Suite struct ProbeTelemetryTests {
    private let bench = SenderBench(expecting: .software)

    private func transmitted(_ probe: SentProbe) -> [UInt32?] {
        [probe.paired?.transmit0?.sequence, probe.paired?.transmit1?.sequence]
    }

    private func received(_ probe: SentProbe) -> [UInt32?] {
        [probe.paired?.receive0?.sequence, probe.paired?.receive1?.sequence]
    }

    @Test func `A probe reports the timestamps of the two probes before it`() throws {
        try bench.open()
        for sequence in UInt32(1)...4 {
            let probe = try bench.send()
            let expected: [[UInt32?]] = [[nil, nil], [1, nil], [2, 1], [3, 2]]
            #expect(transmitted(probe) == expected[Int(sequence) - 1])
            bench.move(by: 4000)
            bench.stamp(sequence, .software)
        }
        let last = try #require(try bench.send().paired?.transmit0)
        #expect(last.answered == 4)
        #expect(last.times.software != nil && last.times.software! - last.times.app! == 4000)
        #expect(last.times.sched == nil && last.times.nic == .none)
    }

    @Test func `Opening probes are not reported`() throws {
        try bench.send()
        bench.stamp(0, .software)
        try bench.open()
        bench.stamp(1, .software)
        let probe = try bench.exchange()
        #expect(transmitted(probe) == [nil, nil])
        #expect(received(probe) == [nil, nil])
    }

    @Test func `A probe is reported when its last timestamp arrives, by the time of arrival`() throws {
        let bench = SenderBench(expecting: [.software, .hardware])
        try bench.open()
        try bench.send(3)
        for sequence in [UInt32(2), 1, 3] { bench.stamp(sequence, .software) }
        #expect(transmitted(try bench.send()) == [nil, nil])
        for sequence in [UInt32(3), 1] { bench.stamp(sequence, .hardware) }
        #expect(transmitted(try bench.send()) == [3, nil])
        #expect(transmitted(try bench.send()) == [1, 3])
        #expect(transmitted(try bench.send()) == [1, 3], "the last two are repeated")
    }

    @Test func `A received reply is reported by the peer's number, each one twice`() throws {
        bench.peer.next = 500
        try bench.open()
        #expect(received(try bench.exchange()) == [nil, nil])
        let second = try bench.exchange()
        #expect(received(second) == [501, nil])
        let third = try bench.exchange()
        #expect(received(third) == [502, 501])
        let receipt = try #require(third.paired?.receive0)
        #expect(receipt.times.app == bench.host.row(.reply, 2)?.receiveApp)
        #expect(receipt.times.software == receipt.times.app! - 2000)
    }

    @Test(arguments: [7, 8, 9])
    func `Two new sets go with each probe when the backlog is 8 or more`(_ backlog: Int) throws {
        bench.stampTimeout = second
        try bench.open()
        let probes = try bench.send(backlog)
        for probe in probes {
            bench.receive(bench.answer(probe))
            bench.stamp(probe.sequence, .software)
        }
        let next = try bench.send()
        #expect(transmitted(next) == (backlog < 8 ? [1, nil] : [2, 1]))
        // The opening probe's reply had number 0.
        #expect(received(next) == (backlog < 8 ? [1, nil] : [2, 1]))
        var reported: Set<UInt32> = Set(transmitted(next).compactMap(\.self))
        for _ in 0..<backlog { reported.formUnion(transmitted(try bench.send()).compactMap(\.self)) }
        #expect(reported == Set(1...UInt32(backlog)))
    }

    @Test func `A timestamp that was written off is reported with its reason`() throws {
        let bench = SenderBench(expecting: [.software, .hardware])
        try bench.open()
        try bench.send()
        bench.stamp(1, .software)
        bench.host.reasons = [.inFlight]
        bench.wait(bench.stampTimeout + 1)
        let stamps = try #require(try bench.send().paired?.transmit0)
        #expect(stamps.sequence == 1)
        #expect(stamps.times.nic == HardwareStamp(missing: MissingReason.inFlight.wireCode))
        #expect(stamps.times.software != nil)
    }

    @Test func `The report of a NIC's timestamp has its PHC time, conversion and error`() throws {
        let bench = SenderBench(expecting: .hardware)
        try bench.open()
        try bench.send()
        bench.move(by: 1000)
        bench.stamp(1, .hardware)
        let expected = HardwareStamp(time: bench.now, realtime: bench.realtime, error: 50)
        #expect(try bench.send().paired?.transmit0?.times.nic == expected)
    }
}
