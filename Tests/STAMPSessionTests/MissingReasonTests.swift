import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct MissingReasonTests {
    @Test func `Reasons have the numbers that docs/stamp-tlv.md defines`() {
        let numbers: [(MissingReason, UInt8)] = [
            (.unsupported, 1), (.late, 2), (.bufferFull, 3), (.skippedByDriver, 4), (.notAsked, 5), (.inFlight, 6),
            (.never, 7), (.onlyPTP, 8), (.closed, 9),
        ]
        for (reason, number) in numbers {
            #expect(reason.wireCode == number)
            #expect(MissingReason(wireCode: number) == reason)
        }
    }

    @Test(arguments: [0, 10, 255] as [UInt8])
    func `Code 0 and unknown codes are no reason`(code: UInt8) {
        #expect(MissingReason(wireCode: code) == nil)
    }

    private func record() -> PacketRecord { PacketRecord(session: 1, packet: .reply, sequence: 1, direction: .in) }

    @Test func `The reason that the peer reports is the reason in the row`() {
        var row = record()
        let reported = TransmitTimes(software: 5, nic: HardwareStamp(missing: 6))
        row.record(reported)
        #expect(row.reasonForMissingStamp(reported, else: .noFollowUp) == .inFlight)
        #expect(row.transmitSoftware == 5)
        #expect(row.transmitHardware == nil)
        row.record(ReceiveTimes(nic: HardwareStamp(missing: 8), software: 6))
        #expect(row.receiveMissing == .onlyPTP)
    }

    @Test func `If the peer reports no hardware timestamp and no reason, the missing report is the reason`() {
        var row = record()
        let reported = TransmitTimes(app: 5)
        row.record(reported)
        #expect(row.reasonForMissingStamp(reported, else: .noFollowUp) == .noFollowUp)
        row.record(ReceiveTimes())
        #expect(row.receiveMissing == .notReceived)
    }

    @Test(arguments: [Direction.out, .in])
    func `With --stamps hardware a peer without hardware timestamps and without a reason is unsupported`(
        direction: Direction
    ) {
        var row = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: direction)
        row.explainMissingPeerStamp()
        #expect(row.receiveMissing == (direction == .out ? .unsupported : nil))
        #expect(row.transmitMissing == (direction == .in ? .unsupported : nil))
        var reported = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: direction)
        (reported.receiveMissing, reported.transmitMissing) = (.never, .inFlight)
        reported.explainMissingPeerStamp()
        #expect(reported.receiveMissing == .never && reported.transmitMissing == .inFlight)
    }

    @Test func `A row has a timestamp's conversion and its error bound, or neither`() {
        var row = record()
        row.record(
            TransmitTimes(nic: HardwareStamp(time: 10, realtime: 20, error: 3)))
        row.record(ReceiveTimes(nic: HardwareStamp(time: 11), software: 30))
        #expect(row.transmitHardware == 10)
        #expect(row.transmitHardwareRealtime == 20)
        #expect(row.transmitHardwareError == 3)
        #expect(row.receiveHardware == 11)
        #expect(row.receiveHardwareRealtime == nil)
        #expect(row.receiveHardwareError == nil)
        #expect(row.receiveMissing == nil)
    }
}
