import FastAFPacket
import Report

/// A thread's received packets with the NIC's timestamp, and those that should have one and have none.
struct ReceiveStampCounts: Hashable, Sendable {
    var stamped: UInt64 = 0
    var missing: UInt64 = 0

    mutating func add(_ other: ReceiveStampCounts) {
        stamped &+= other.stamped
        missing &+= other.missing
    }
}

/// Hardware timestamps that are not there, once in words.
enum StampNotes {
    /// What is to be said; nothing where all that were asked for came.
    static func notes(
        on interface: String, _ account: TimestampLedger, _ receipts: ReceiveStamping, _ counts: ReceiveStampCounts
    ) -> [String] {
        [transmit(interface, account), receive(interface, receipts, counts)].compactMap(\.self)
    }

    private static func transmit(_ interface: String, _ account: TimestampLedger) -> String? {
        guard let hardware = account.kinds.first(where: { $0.name == "hardware" }) else { return nil }
        let asked = account.sent - hardware.unsupported
        guard asked > hardware.stamped else { return nil }
        guard hardware.stamped > 0 || hardware.late > 0 else {
            return "No packet that was sent has a hardware timestamp, though \(interface) offers them. "
                + "`--stamps software` does without; `probe doctor \(interface)` tells more."
        }
        let reasons = [
            (hardware.inFlight, "met a NIC that was busy with another timestamp"),
            (hardware.skippedByDriver, "were left out or lost by NIC or driver"),
            (hardware.never, "have no reason that the NIC counts"),
            (hardware.lostInBuffer, "were lost in the socket's full buffer"), (hardware.late, "came late"),
            (hardware.pending, "were still awaited at the end"),
        ]
        let reported = reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return
            "\(hardware.stamped) of \(asked) packets that were sent have a hardware timestamp in time; the others: \(reported)."
    }

    private static func receive(_ interface: String, _ receipts: ReceiveStamping, _ counts: ReceiveStampCounts)
        -> String?
    {
        guard counts.missing > 0 else { return nil }
        switch receipts {
        case .none:
            return nil
        case .onlyPTP:
            return "No packet that arrived has a hardware timestamp: \(interface) timestamps PTP frames only. "
                + "`--transport l2 --frame ptp` sends such."
        case .notAsked:
            return
                "No packet that arrived has a hardware timestamp: \(interface) could timestamp all frames, and somebody else "
                + "has set it not to. `probe doctor \(interface)` may tell who."
        case .expected where counts.stamped == 0:
            return "No packet that arrived has a hardware timestamp, though \(interface) offers them. "
                + "`probe doctor \(interface)` tells more."
        case .expected:
            return
                "\(counts.stamped) of \(counts.stamped + counts.missing) packets that arrived have a hardware timestamp; "
                + "NIC or driver left out or lost the others."
        }
    }
}
