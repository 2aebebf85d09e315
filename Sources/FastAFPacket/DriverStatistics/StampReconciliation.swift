/// The hardware timestamps that one ledger misses, held against what the NIC has counted in the same time.
///
/// The NIC counts for everybody who asks it for timestamps, ptp4l too, so it may have missed more than the ledger did.
public struct StampReconciliation: Hashable, Sendable {
    /// Of the ledger: ``TransmitAccount/Outcome/skippedByDriver``.
    public let skipped: Int
    /// Of the ledger: ``TransmitAccount/Outcome/lostInBuffer``.
    public let lost: Int
    /// Timestamps that the NIC did not take or lost; `nil` for a driver that does not count them.
    public let counted: Int?

    /// - Parameters:
    ///   - account: of a ledger whose sends are written off: what is pending counts for nothing here.
    ///   - statistics: what the driver has counted since before the first send: ``DriverStatistics/counted(since:)``.
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

    /// Skipped timestamps that the NIC owns up to.
    public var explained: Int { min(skipped, counted ?? 0) }
    /// Skipped timestamps that the NIC does not know of: the driver lost them without counting, or the ledger errs.
    public var unexplained: Int { skipped - explained }
    /// Timestamps called lost in the socket's buffer that the NIC may have missed before they got there.
    public var ambiguous: Int { min(lost, (counted ?? 0) - explained) }
    /// What the NIC missed beyond all that this ledger misses: others use it too.
    public var overExplained: Int { (counted ?? 0) - explained - ambiguous }
}
