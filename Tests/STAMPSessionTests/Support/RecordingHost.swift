import Report

@testable import STAMPSession

/// A host that records what a session passes to it.
final class RecordingHost: SessionHost {
    private(set) var rows: [PacketRecord] = []
    /// The lateness of each row.
    private(set) var lateness: [Int64?] = []
    private(set) var updates: [SessionTotals] = []
    private(set) var notices: [SessionNotice] = []
    /// The reasons for the next missing hardware timestamps, and `skippedByDriver` after them.
    var reasons: [MissingReason] = []
    private(set) var reasonsAsked = 0

    func record(_ row: PacketRecord, lateness: Int64?) {
        rows.append(row)
        self.lateness.append(lateness)
    }

    func update(_ totals: SessionTotals) { updates.append(totals) }
    func report(_ notice: SessionNotice) { notices.append(notice) }

    func reasonForMissingHardwareStamp() -> MissingReason {
        reasonsAsked += 1
        return reasons.isEmpty ? .skippedByDriver : reasons.removeFirst()
    }

    /// The rows of one packet, in the order in which they were written.
    func rows(_ packet: PacketKind, _ sequence: UInt32) -> [PacketRecord] {
        rows.filter { $0.packet == packet && $0.sequence == sequence }
    }

    /// The only row of one packet; nil if there is none or more than one.
    func row(_ packet: PacketKind, _ sequence: UInt32) -> PacketRecord? {
        let found = rows(packet, sequence)
        return found.count == 1 ? found[0] : nil
    }

    /// The status of a probe's row and of its reply's; nil without exactly one of each.
    func statuses(_ sequence: UInt32) -> [PacketStatus]? {
        guard let probe = row(.probe, sequence), let reply = row(.reply, sequence) else { return nil }
        return [probe.status, reply.status]
    }

    /// The short names of the notices, in their order.
    var noticeNames: [String] { notices.map { String(String(describing: $0).prefix { $0 != "(" }) } }

    /// Forgets the rows and notices so far.
    func clear() {
        rows.removeAll()
        lateness.removeAll()
        notices.removeAll()
        updates.removeAll()
    }
}
