extension DriverStatistics {
    /// The counters that rise by one for each requested hardware transmit timestamp that will not arrive. Empty for a
    /// driver that has no such counter, or whose counter is not recognised here (bnxt, fbnic, stmmac, veth).
    ///
    /// | driver | counters |
    /// |---|---|
    /// | e1000e, igb, igc, ixgbe, ngbe, txgbe | `tx_hwtstamp_skipped` (the NIC was busy with another timestamp), `tx_hwtstamp_timeouts` |
    /// | ice | these, `tx_hwtstamp_flushed`, `tx_hwtstamp_discarded` |
    /// | i40e | `port.tx_hwtstamp_skipped`, `port.tx_hwtstamp_timeouts` |
    /// | idpf | `tx-hwtstamp_skipped`, `tx-hwtstamp_flushed`, `tx-hwtstamp_discarded` |
    /// | qede, bnx2x | `ptp_skip_txts`, `ptp_skipped_tx_tstamp` |
    /// | mlx5 | `ptp_cq0_lost_cqe`, `ptp_cq0_err_cqe`, `ptp_cq0_abort`, and so on for each queue |
    /// | ionic | `tx_0_hwstamp_invalid`, and so on for each queue |
    ///
    /// Source: the *_ethtool.c and en_stats.c of drivers/net/ethernet in Linux.
    public var missedStamps: [Counter] { counters.filter { Self.countsMissedStamps($0.name) } }

    private static let names: Set<String> = {
        let reasons = ["skipped", "timeouts", "flushed", "discarded"]
        let intel = ["tx_", "port.tx_", "tx-"].flatMap { prefix in reasons.map { prefix + "hwtstamp_" + $0 } }
        return Set(intel + ["ptp_skip_txts", "ptp_skipped_tx_tstamp"])
    }()

    private static func countsMissedStamps(_ name: String) -> Bool {
        names.contains(name)
            || ["lost_cqe", "err_cqe", "abort"].contains(ofQueue(name, prefix: "ptp_cq"))
            || ofQueue(name, prefix: "tx_") == "hwstamp_invalid"
    }

    /// For example "abort" for "ptp_cq12_abort".
    private static func ofQueue(_ name: String, prefix: String) -> Substring? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = name.dropFirst(prefix.count)
        let number = rest.prefix { $0.isASCII && $0.isNumber }
        let tail = rest.dropFirst(number.count)
        return number.isEmpty || tail.first != "_" ? nil : tail.dropFirst()
    }

    /// The increase of each counter since an earlier reading, in the order of this one. A counter that did not exist
    /// then counts from 0.
    ///
    /// Drivers keep many counters in 32 bits: one that has gone down by more than half of that range has wrapped. Any
    /// other counter that has gone down was reset with the driver or its queues; its value is then a lower bound of the
    /// increase.
    public func counted(since earlier: DriverStatistics) -> DriverStatistics {
        let before = Dictionary(earlier.counters.map { ($0.name, $0.value) }) { first, _ in first }
        return DriverStatistics(
            counters: counters.map {
                Counter(name: $0.name, value: Self.step(from: before[$0.name] ?? 0, to: $0.value))
            })
    }

    private static func step(from old: UInt64, to new: UInt64) -> UInt64 {
        if new >= old { return new - old }
        let hasWrapped = old <= UInt32.max && old - new > UInt32.max / 2
        return hasWrapped ? new + (1 << 32) - old : new
    }
}
