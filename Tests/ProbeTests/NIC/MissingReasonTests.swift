import Report
import STAMPWire
import Testing

@testable import probe

@Suite struct MissingReasonTests {
    @Test func `reasons have the numbers of the TLV's description`() {
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
    func `no reason, and one of a newer program, read as none`(code: UInt8) {
        #expect(MissingReason(wireCode: code) == nil)
    }

    private func record() -> PacketRecord { PacketRecord(session: 1, packet: .reply, sequence: 1, direction: .in) }

    @Test func `what the peer has reported of its nic is the reason on the row`() {
        var row = record()
        let reported = TransmitStamps(sequence: 1, answered: 1, software: 5, nic: HardwareStamp(missing: 6))
        row.record(reported)
        #expect(row.reasonForMissingStamp(reported, else: .noFollowUp) == .inFlight)
        #expect(row.transmitSoftware == 5)
        #expect(row.transmitHardware == nil)
        row.record(ReceiveStamps(sequence: 1, nic: HardwareStamp(missing: 8), software: 6))
        #expect(row.receiveMissing == .onlyPTP)
    }

    @Test func `a peer that has reported nothing is the reason itself`() {
        var row = record()
        let reported = TransmitStamps(sequence: 1, answered: 1, app: 5)
        row.record(reported)
        #expect(row.reasonForMissingStamp(reported, else: .noFollowUp) == .noFollowUp)
        row.record(ReceiveStamps(sequence: 1))
        #expect(row.receiveMissing == .notReceived)
    }

    @Test(arguments: [Direction.out, .in])
    func `where the nics alone count, a peer without a nic stamp and a reason is explained`(direction: Direction) {
        var row = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: direction)
        row.explainMissingPeerStamp()
        #expect(row.receiveMissing == (direction == .out ? .unsupported : nil))
        #expect(row.transmitMissing == (direction == .in ? .unsupported : nil))
        var reported = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: direction)
        (reported.receiveMissing, reported.transmitMissing) = (.never, .inFlight)
        reported.explainMissingPeerStamp()
        #expect(reported.receiveMissing == .never && reported.transmitMissing == .inFlight)
    }

    @Test func `a stamp's conversion comes with its bound, or neither does`() {
        var row = record()
        row.record(
            TransmitStamps(sequence: 1, answered: 1, nic: HardwareStamp(time: 10, realtime: 20, error: 3)))
        row.record(ReceiveStamps(sequence: 1, nic: HardwareStamp(time: 11), software: 30))
        #expect(row.transmitHardware == 10)
        #expect(row.transmitHardwareRealtime == 20)
        #expect(row.transmitHardwareError == 3)
        #expect(row.receiveHardware == 11)
        #expect(row.receiveHardwareRealtime == nil)
        #expect(row.receiveHardwareError == nil)
        #expect(row.receiveMissing == nil)
    }
}
