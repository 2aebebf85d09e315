import FastAFPacket
import Report

/// A thread's received packets with the card's stamp, and those that should have one and have none.
struct CardReceiptCounts: Hashable, Sendable {
    var stamped: UInt64 = 0
    var missing: UInt64 = 0

    mutating func add(_ other: CardReceiptCounts) {
        stamped &+= other.stamped
        missing &+= other.missing
    }
}

/// Hardware stamps that are not there, once in words.
enum StampNotes {
    /// What is to be said; nothing where all that were asked for came.
    static func notes(
        on interface: String, _ account: Report.TransmitAccount, _ receipts: CardReceipts, _ counts: CardReceiptCounts
    ) -> [String] {
        [transmit(interface, account), receive(interface, receipts, counts)].compactMap(\.self)
    }

    private static func transmit(_ interface: String, _ account: Report.TransmitAccount) -> String? {
        guard let hardware = account.kinds.first(where: { $0.name == "hardware" }) else { return nil }
        let asked = account.sent - hardware.unsupported
        guard asked > hardware.stamped else { return nil }
        guard hardware.stamped > 0 || hardware.late > 0 else {
            return "No packet that was sent has a hardware stamp, though \(interface) offers them. "
                + "`--stamps software` does without; `probe doctor \(interface)` tells more."
        }
        let reasons = [
            (hardware.inFlight, "met a card that was busy with another stamp"),
            (hardware.skippedByDriver, "were left out or lost by card or driver"),
            (hardware.never, "have no reason that the card counts"),
            (hardware.lostInBuffer, "were lost in the socket's full buffer"), (hardware.late, "came late"),
            (hardware.pending, "were still awaited at the end"),
        ]
        let told = reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return
            "\(hardware.stamped) of \(asked) packets that were sent have a hardware stamp in time; the others: \(told)."
    }

    private static func receive(_ interface: String, _ receipts: CardReceipts, _ counts: CardReceiptCounts) -> String? {
        guard counts.missing > 0 else { return nil }
        switch receipts {
        case .none:
            return nil
        case .onlyPTP:
            return "No packet that arrived has a hardware stamp: \(interface) stamps PTP frames only. "
                + "`--transport l2 --frame ptp` sends such."
        case .notAsked:
            return
                "No packet that arrived has a hardware stamp: \(interface) could stamp all frames, and somebody else "
                + "has set it not to. `probe doctor \(interface)` may tell who."
        case .expected where counts.stamped == 0:
            return "No packet that arrived has a hardware stamp, though \(interface) offers them. "
                + "`probe doctor \(interface)` tells more."
        case .expected:
            return
                "\(counts.stamped) of \(counts.stamped + counts.missing) packets that arrived have a hardware stamp; "
                + "card or driver left out or lost the others."
        }
    }
}
