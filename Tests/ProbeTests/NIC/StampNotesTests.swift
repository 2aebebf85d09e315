import Report
import Testing

@testable import probe

@Suite struct StampNotesTests {
    private func notes(
        _ hardware: TimestampLedger.Kind, _ receipts: ReceiveStamping = .none, stamped: UInt64 = 0, missing: UInt64 = 0
    ) -> [String] {
        let account = TimestampLedger(sent: hardware.sum, kinds: [.init(name: "software", stamped: 9), hardware])
        return StampNotes.notes(
            on: "eth0", account, receipts, ReceiveStampCounts(stamped: stamped, missing: missing))
    }

    @Test func `nothing is said where all that was asked for came`() {
        #expect(notes(.init(name: "hardware", stamped: 10, unsupported: 3), .expected, stamped: 5).isEmpty)
        #expect(notes(.init(name: "hardware", unsupported: 3)).isEmpty)
    }

    @Test func `each reason is reported with its number`() {
        let found = notes(
            .init(
                name: "hardware", stamped: 90, late: 1, lostInBuffer: 2, skippedByDriver: 3, inFlight: 4, never: 5,
                unsupported: 7, pending: 6))
        #expect(
            found == [
                "90 of 111 packets that were sent have a hardware timestamp in time; the others: 4 met a NIC that was busy "
                    + "with another timestamp, 3 were left out or lost by NIC or driver, 5 have no reason that the NIC "
                    + "counts, 2 were lost in the socket's full buffer, 1 came late, 6 were still awaited at the end."
            ])
    }

    @Test func `a nic that never delivers is named, with what to do`() {
        let found = notes(.init(name: "hardware", never: 10), .expected, missing: 10)
        #expect(found.count == 2)
        #expect(found[0].contains("eth0 offers them. `--stamps software` does without; `probe doctor eth0`"))
        #expect(found[1].contains("No packet that arrived has a hardware timestamp, though eth0 offers them."))
    }

    @Test func `why packets that arrived have none depends on the nic's filter`() {
        let complete = TimestampLedger.Kind(name: "hardware", stamped: 1)
        #expect(notes(complete, .onlyPTP, missing: 1).first?.contains("timestamps PTP frames only") == true)
        #expect(notes(complete, .notAsked, missing: 1).first?.contains("somebody else") == true)
        #expect(
            notes(complete, .expected, stamped: 3, missing: 1).first?.hasPrefix("3 of 4 packets that arrived") == true)
    }
}
