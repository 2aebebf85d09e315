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

    @Test func `There are no notes if all requested timestamps arrived`() {
        #expect(notes(.init(name: "hardware", stamped: 10, unsupported: 3), .expected, stamped: 5).isEmpty)
        #expect(notes(.init(name: "hardware", unsupported: 3)).isEmpty)
    }

    @Test func `Each reason is reported with its count`() {
        let found = notes(
            .init(
                name: "hardware", stamped: 90, late: 1, lostInBuffer: 2, skippedByDriver: 3, inFlight: 4, never: 5,
                unsupported: 7, pending: 6))
        #expect(
            found == [
                "90 of 111 sent packets have a hardware timestamp in time. The others: 4 met a NIC busy with another "
                    + "timestamp, 3 skipped or lost by NIC or driver, 5 never arrived, for no reason that the driver "
                    + "counts, 2 lost in the socket's full buffer, 1 late, 6 pending at the end."
            ])
    }

    @Test func `A NIC whose timestamps never arrive is reported with remedies`() {
        let found = notes(.init(name: "hardware", never: 10), .expected, missing: 10)
        #expect(found.count == 2)
        #expect(
            found[0]
                == "No sent packet has a hardware timestamp, although eth0 advertises them. Check the NIC with "
                + "`probe doctor eth0`, or use `--stamps software`.")
        #expect(
            found[1]
                == "No received packet has a hardware timestamp, although eth0 advertises them. Check the NIC with "
                + "`probe doctor eth0`.")
    }

    @Test func `The note on received packets depends on the NIC's filter`() {
        let complete = TimestampLedger.Kind(name: "hardware", stamped: 1)
        #expect(notes(complete, .onlyPTP, missing: 1).first?.contains("timestamps only PTP frames") == true)
        #expect(notes(complete, .notAsked, missing: 1).first?.contains("another process") == true)
        #expect(
            notes(complete, .expected, stamped: 3, missing: 1).first?.hasPrefix("3 of 4 received packets") == true)
    }
}
