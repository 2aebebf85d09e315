/// The hardware stamps that one ledger misses, held against what the card has counted in the same time.
///
/// The card counts for everybody who asks it for stamps, ptp4l too, so it may have missed more than the ledger did.
public struct StampReconciliation: Hashable, Sendable {
    /// Of the ledger: ``TransmitAccount/Outcome/skippedByDriver``.
    public let skipped: Int
    /// Of the ledger: ``TransmitAccount/Outcome/lostInBuffer``.
    public let lost: Int
    /// Stamps that the card did not take or lost; `nil` for a driver that does not count them.
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

    /// Skipped stamps that the card owns up to.
    public var explained: Int { min(skipped, counted ?? 0) }
    /// Skipped stamps that the card does not know of: the driver lost them without counting, or the ledger errs.
    public var unexplained: Int { skipped - explained }
    /// Stamps called lost in the socket's buffer that the card may have missed before they got there.
    public var ambiguous: Int { min(lost, (counted ?? 0) - explained) }
    /// What the card missed beyond all that this ledger misses: others use it too.
    public var overExplained: Int { (counted ?? 0) - explained - ambiguous }
}
