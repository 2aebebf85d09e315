import Testing

@testable import FastAFPacket

/// The ledger compared with the NIC's counters.
struct StampReconciliationTests {
    private typealias Counter = DriverStatistics.Counter

    private static func statistics(_ values: KeyValuePairs<String, UInt64>) -> DriverStatistics {
        DriverStatistics(counters: values.map { Counter(name: $0.key, value: $0.value) })
    }

    // MARK: - Counters of missed timestamps

    @Test(
        "Counters of missed transmit timestamps are found by each driver's name for them",
        arguments: [
            ["tx_hwtstamp_skipped", "tx_hwtstamp_timeouts"],
            ["tx_hwtstamp_skipped", "tx_hwtstamp_timeouts", "tx_hwtstamp_flushed", "tx_hwtstamp_discarded"],
            ["port.tx_hwtstamp_timeouts", "port.tx_hwtstamp_skipped"],
            ["tx-hwtstamp_skipped", "tx-hwtstamp_flushed", "tx-hwtstamp_discarded"],
            ["ptp_skip_txts"], ["ptp_skipped_tx_tstamp"],
            ["ptp_cq0_lost_cqe", "ptp_cq0_err_cqe", "ptp_cq0_abort", "ptp_cq17_lost_cqe"],
            ["tx_0_hwstamp_invalid", "tx_31_hwstamp_invalid"],
        ])
    func found(names: [String]) {
        let all = ["tx_packets"] + names + ["rx_hwtstamp_cleared"]
        let statistics = DriverStatistics(counters: all.map { Counter(name: $0, value: 1) })
        #expect(statistics.missedStamps.map(\.name) == names)
    }

    @Test(
        "Other counters are ignored",
        arguments: [
            "rx_hwtstamp_cleared", "tx_hwtstamp", "tx_hwtstamp_skipped_", "xtx_hwtstamp_skipped", "TX_HWTSTAMP_SKIPPED",
            "ptp_cq0_cqe", "ptp_cq0_late_cqe", "ptp_cq0_abort_abs_diff_ns", "ptp_cq_abort", "ptp_cqx_abort",
            "ptp_cq0abort", "ptp_cq0_0_abort", "tx_hwstamp_invalid", "tx_0_hwstamp_valid", "rx_0_hwstamp_invalid",
            "ptp_cq٣_abort", "ptp_cq0", "ptp_cq", "tx_", "", "peer_ifindex",
        ])
    func others(name: String) { #expect(Self.statistics([name: 1]).missedStamps.isEmpty) }

    // MARK: - The difference of two readings

    @Test("The increase between two readings is their difference, counter by counter, by name")
    func difference() {
        let earlier = Self.statistics(["a": 5, "b": 7, "gone": 3])
        let later = Self.statistics(["b": 17, "new": 2, "a": 5])
        #expect(later.counted(since: earlier).counters == Self.statistics(["b": 10, "new": 2, "a": 0]).counters)
    }

    @Test("A 32-bit counter that wraps continues to count")
    func wraps() {
        for (old, new, counted) in [
            (UInt64(UInt32.max), 0, 1), (UInt64(UInt32.max) - 9, 5, 15), (3 << 30, 0, 1 << 30),
            (3 << 30, 1, 1 + 1 << 30),
        ] as [(UInt64, UInt64, UInt64)] {
            let step = Self.statistics(["x": new]).counted(since: Self.statistics(["x": old]))
            #expect(step["x"] == counted, "\(old) \(new)")
        }
    }

    @Test("A counter that was reset has counted at least its value")
    func reset() {
        for (old, new) in [
            (100, 0), (100, 99), (1 << 31, 7), (1 << 40, 3), (.max, 0), (.max, .max - 1), (1 << 32, 0),
        ] as [(UInt64, UInt64)] {
            let step = Self.statistics(["x": new]).counted(since: Self.statistics(["x": old]))
            #expect(step["x"] == new, "\(old) \(new)")
        }
    }

    @Test("Counters of the same name are compared with the first of that name")
    func twice() {
        let earlier = DriverStatistics(counters: [Counter(name: "x", value: 1), Counter(name: "x", value: 2)])
        let later = DriverStatistics(counters: [Counter(name: "x", value: 4), Counter(name: "x", value: 9)])
        #expect(later.counted(since: earlier).counters.map(\.value) == [3, 8])
    }

    // MARK: - A simulated NIC

    /// A NIC like igb: one transmit timestamp at a time; packets sent meanwhile are skipped and counted.
    private struct Device {
        var isBusy = false
        var skipped: UInt64 = 4_294_967_290
        var timeouts: UInt64 = 3
        var dropsSilently = false

        var statistics: DriverStatistics {
            StampReconciliationTests.statistics([
                "rx_packets": 12, "tx_hwtstamp_timeouts": timeouts, "tx_hwtstamp_skipped": skipped & 0xFFFF_FFFF,
                "rx_hwtstamp_cleared": 9,
            ])
        }

        /// Returns whether the NIC timestamps the packet.
        mutating func transmit() -> Bool {
            if isBusy {
                if !dropsSilently { skipped += 1 }
                return false
            }
            isBusy = true
            return true
        }
    }

    /// Sends `count` packets, of which the NIC is free for every third; `others` packets of another process find it
    /// busy. The last `lost` timestamps of the NIC are lost in the socket.
    private static func run(count: Int, others: Int = 0, lost: Int = 0, dropsSilently: Bool = false) -> (
        TransmitAccount, DriverStatistics
    ) {
        var device = Device(dropsSilently: dropsSilently)
        let before = device.statistics
        var ledger = TransmitLedger(capacity: 64, expecting: [.software, .hardware])
        var timestamped: [UInt32] = []
        for id in 0..<UInt32(count) {
            if id % 3 == 0 { device.isBusy = false }
            ledger.recordSend(id: id, at: 0)
            _ = ledger.recordStamp(
                TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(software: Int64(id) + 1)))
            if device.transmit() { timestamped.append(id) }
        }
        for _ in 0..<others { _ = device.transmit() }
        for id in timestamped.dropLast(lost) {
            _ = ledger.recordStamp(
                TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(hardware: Int64(id) + 1)))
        }
        if lost > 0 { ledger.recordFullQueue() }
        ledger.expire(sentBefore: .max) { _, _, _ in }
        #expect(ledger.account.isBalanced && ledger.account.isConfirmedByIdentifiers)
        return (ledger.account, device.statistics.counted(since: before))
    }

    @Test("All that a busy NIC skipped is explained by its counter, even if the counter wraps")
    func explained() {
        let (account, counted) = Self.run(count: 30)
        #expect(account.hardware[.skippedByDriver] == 20 && account.software[.stamped] == 30)
        let result = StampReconciliation(account, counted: counted)
        #expect(result.counted == 20 && result.explained == 20)
        #expect(result.unexplained == 0 && result.ambiguous == 0 && result.overExplained == 0)
    }

    @Test("Timestamps that the NIC skipped without counting are unexplained")
    func unexplained() {
        let (account, counted) = Self.run(count: 30, dropsSilently: true)
        let result = StampReconciliation(account, counted: counted)
        #expect(result.counted == 0 && result.explained == 0 && result.unexplained == 20)
    }

    @Test("Timestamps of other processes that the NIC skipped are over-explained")
    func others() {
        let (account, counted) = Self.run(count: 30, others: 7)
        let result = StampReconciliation(account, counted: counted)
        #expect(result.explained == 20 && result.unexplained == 0 && result.overExplained == 7)
    }

    @Test("If the socket's buffer was full, the NIC may have missed some timestamps recorded as lost")
    func ambiguous() {
        let (account, counted) = Self.run(count: 30, others: 3, lost: 5)
        // Written off after the queue had been full: all 25 count as lost there.
        #expect(account.hardware[.lostInBuffer] == 25 && account.hardware[.skippedByDriver] == 0)
        let result = StampReconciliation(account, counted: counted)
        #expect(result.counted == 23 && result.explained == 0 && result.ambiguous == 23)
        #expect(result.unexplained == 0 && result.overExplained == 0)
    }

    @Test("A driver without such counters explains nothing")
    func noCounters() {
        let (account, _) = Self.run(count: 30)
        let result = StampReconciliation(account, counted: Self.statistics(["peer_ifindex": 4]))
        #expect(result.counted == nil && result.explained == 0 && result.unexplained == 20)
        #expect(result.ambiguous == 0 && result.overExplained == 0)
    }

    @Test("Timeouts and skips add up, and implausible counts saturate")
    func absurd() {
        let (account, _) = Self.run(count: 30)
        let sum = Self.statistics(["tx_hwtstamp_timeouts": 8, "tx_hwtstamp_skipped": 4])
        #expect(StampReconciliation(account, counted: sum).explained == 12)
        let huge = Self.statistics(["tx_hwtstamp_timeouts": .max, "tx_hwtstamp_skipped": .max])
        let result = StampReconciliation(account, counted: huge)
        #expect(result.counted == .max && result.explained == 20 && result.overExplained == .max - 20)
    }
}
