import FastAFPacket
import Report

/// Counts of a thread's received packets with a hardware timestamp, and of those that should have one and do not.
struct ReceiveStampCounts: Hashable, Sendable {
    var stamped: UInt64 = 0
    var missing: UInt64 = 0

    mutating func add(_ other: ReceiveStampCounts) {
        stamped &+= other.stamped
        missing &+= other.missing
    }
}

/// Sentences on missing hardware timestamps, for the end of a run.
enum StampNotes {
    /// The notes; empty if all requested timestamps arrived.
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
            return "No sent packet has a hardware timestamp, although \(interface) advertises them. Check the NIC with "
                + "`probe doctor \(interface)`, or use `--stamps software`."
        }
        let reasons = [
            (hardware.inFlight, "met a NIC busy with another timestamp"),
            (hardware.skippedByDriver, "skipped or lost by NIC or driver"),
            (hardware.never, "never arrived, for no reason that the driver counts"),
            (hardware.lostInBuffer, "lost in the socket's full buffer"), (hardware.late, "late"),
            (hardware.pending, "pending at the end"),
        ]
        let reported = reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return
            "\(hardware.stamped) of \(asked) sent packets have a hardware timestamp in time. The others: \(reported)."
    }

    private static func receive(_ interface: String, _ receipts: ReceiveStamping, _ counts: ReceiveStampCounts)
        -> String?
    {
        guard counts.missing > 0 else { return nil }
        switch receipts {
        case .none:
            return nil
        case .onlyPTP:
            return "No received packet has a hardware timestamp: \(interface) timestamps only PTP frames on receipt. "
                + "Use `--transport l2 --frame ptp` on both hosts."
        case .notAsked:
            return
                "No received packet has a hardware timestamp: \(interface) supports them, but another process has set a "
                + "receive filter that excludes these frames. `probe doctor \(interface)` lists candidates."
        case .expected where counts.stamped == 0:
            return
                "No received packet has a hardware timestamp, although \(interface) advertises them. Check the NIC with "
                + "`probe doctor \(interface)`."
        case .expected:
            return
                "\(counts.stamped) of \(counts.stamped + counts.missing) received packets have a hardware timestamp; "
                + "NIC or driver skipped or lost the others."
        }
    }
}
