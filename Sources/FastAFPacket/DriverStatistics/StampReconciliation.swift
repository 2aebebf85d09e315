/// A comparison of the hardware timestamps that one ledger is missing with the NIC's counters over the same time.
///
/// The NIC counts for every process that requests timestamps, ptp4l included, so it may have missed more than the
/// ledger.
public struct StampReconciliation: Hashable, Sendable {
    /// ``TransmitAccount/Outcome/skippedByDriver`` of the ledger.
    public let skipped: Int
    /// ``TransmitAccount/Outcome/lostInBuffer`` of the ledger.
    public let lost: Int
    /// Timestamps that the NIC skipped or lost; `nil` if the driver does not count them.
    public let counted: Int?

    /// Compares a ledger's account with the driver's counters.
    ///
    /// - Parameters:
    ///   - account: the account of a ledger whose sends have all been written off; pending timestamps are ignored.
    ///   - statistics: the increase since before the first send: ``DriverStatistics/counted(since:)``.
    public init(_ account: TransmitAccount, counted statistics: DriverStatistics) {
        skipped = account.hardware[.skippedByDriver]
        lost = account.hardware[.lostInBuffer]
        let counters = statistics.missedStamps
        let total = counters.reduce(UInt64(0)) { sum, counter in
            let (sum, overflow) = sum.addingReportingOverflow(counter.value)
            return overflow ? .max : sum
        }
        counted = counters.isEmpty ? nil : Int(clamping: total)
    }

    /// Skipped timestamps that the NIC's counters account for.
    public var explained: Int { min(skipped, counted ?? 0) }
    /// Skipped timestamps that the NIC's counters do not account for: the driver lost them without counting, or the
    /// ledger is wrong.
    public var unexplained: Int { skipped - explained }
    /// Timestamps recorded as lost in the socket's buffer that the NIC may have missed before they got there.
    public var ambiguous: Int { min(lost, (counted ?? 0) - explained) }
    /// Timestamps that the NIC missed in excess of all that this ledger is missing: other processes use it too.
    public var overExplained: Int { (counted ?? 0) - explained - ambiguous }
}
