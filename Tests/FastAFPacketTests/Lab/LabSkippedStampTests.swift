import FastAFPacket
import LinuxKernel
import Testing

/// Timestamps that a real driver skips, because its NIC keeps one at a time.
@Suite(.lab, .serialized)
struct LabSkippedStampTests {
    @Test("The timestamps that the ledger is missing after a burst are those that the driver counts as skipped")
    func skipped() throws {
        let connection = try LabNIC.connect { $0.transmitStamps = [.software, .hardware] }
        let before = try DriverStatistics(of: LabNIC.interface)
        let count = 500
        var ledger = TransmitLedger(capacity: count, expecting: connection.transmitStamps)
        for id in 0..<UInt32(count) {
            try connection.sendFrames([id])
            ledger.recordSend(id: id, at: ClockID.monotonic.now())
        }
        // The driver counts when it gets a frame, so all are counted once each has its driver transmit timestamp.
        var stamps: [TransmitStamp] = []
        while stamps.filter({ $0.stamps.software != nil }).count < count {
            let more = try connection.receiveStamps(1)
            try #require(!more.isEmpty, "software timestamps are missing")
            stamps += more
        }
        let counted = try DriverStatistics(of: LabNIC.interface).counted(since: before)
        let skipped = Int(try #require(counted["tx_hwtstamp_skipped"]))
        stamps += try connection.receiveStamps(max(0, 2 * count - skipped - stamps.count))
        for stamp in stamps { _ = ledger.recordStamp(stamp) }
        ledger.expire(sentBefore: .max) { _, _, _ in }

        let account = ledger.account
        #expect(account.isBalanced && account.isConfirmedByIdentifiers && account.unknownStamps == 0)
        #expect(account.software[.stamped] == count)
        #expect(account.hardware[.stamped] == count - skipped && account.hardware[.skippedByDriver] == skipped)
        #expect(skipped > 0, "the NIC was never busy, so the test shows nothing")
        let result = StampReconciliation(account, counted: counted)
        #expect(result.explained == skipped && result.unexplained == 0 && result.overExplained == 0)
    }
}
