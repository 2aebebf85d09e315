import Report
import STAMPSession

/// The surroundings of one session in the simulation: it keeps the rows and notices with the number of the step of the
/// simulation in which they were written.
final class RowLog: SessionHost {
    struct Entry {
        var row: PacketRecord
        /// The step in which the row was written, and the number of probes that had been written by then.
        var step: Int
        var probes: UInt32
        var lateness: Int64?
    }

    private(set) var rows: [Entry] = []
    private(set) var notices: [SessionNotice] = []
    private(set) var totals = SessionTotals()
    private let reason: MissingReason
    /// The current step, and the number of probes that were written.
    var step = 0
    var probes: UInt32 = 0

    /// The reasons that a NIC's counters give for missing timestamps.
    static let reasons: [MissingReason] = [.skippedByDriver, .inFlight, .never]

    init(capacity: Int, _ reason: MissingReason) {
        rows.reserveCapacity(capacity)
        self.reason = reason
    }

    /// The ledger's column for the reason.
    var column: LedgerTruth.Column { reason == .never ? .never : reason == .inFlight ? .inFlight : .driver }

    func record(_ row: PacketRecord, lateness: Int64?) {
        rows.append(Entry(row: row, step: step, probes: probes, lateness: lateness))
    }

    func report(_ notice: SessionNotice) { notices.append(notice) }

    func update(_ totals: SessionTotals) { self.totals = totals }

    func reasonForMissingHardwareStamp() -> MissingReason { reason }
}
