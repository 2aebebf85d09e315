import FastAFPacket
import Report
import Synchronization
import Testing

@testable import probe

@Suite struct MissedStampsTests {
    private func counted(skipped: UInt64, timeouts: UInt64 = 0) -> DriverStatistics {
        DriverStatistics(counters: [
            .init(name: "rx_packets", value: 99), .init(name: "tx_hwtstamp_timeouts", value: timeouts),
            .init(name: "tx_hwtstamp_skipped", value: skipped),
        ])
    }

    @Test func `The driver's count explains as many packets, and no more`() {
        let missed = MissedStamps()
        missed.recordStamp()
        #expect(missed.explain() == .skippedByDriver)
        missed.update(counted(skipped: 2, timeouts: 1))
        let reasons = (0..<5).map { _ in missed.explain() }
        #expect(reasons == [.inFlight, .inFlight, .skippedByDriver, .skippedByDriver, .skippedByDriver])
        // After a reset the driver counts from 0 again; the packets explained before are not explained twice.
        missed.update(counted(skipped: 0))
        #expect(missed.explain() == .skippedByDriver)
        missed.update(counted(skipped: 3, timeouts: 1))
        #expect(missed.explain() == .inFlight)
        #expect(missed.explain() == .skippedByDriver)
        #expect(missed.metBusyNIC == 3)
    }

    @Test func `A busy NIC is the reason only after a first timestamp has arrived`() {
        let missed = MissedStamps()
        missed.update(counted(skipped: 2))
        #expect(missed.explain() == .never)
        missed.recordStamp()
        #expect(missed.explain() == .inFlight)
    }

    @Test func `A timestamp is written off once the counters can explain it, at the latest after the timeout`() {
        let missed = MissedStamps()
        let (now, timeout): (Int64, Int64) = (100_000_000_000, 2_000_000_000)
        // Without counters there is nothing to wait for.
        #expect(missed.deadline(now, timeout: timeout) == now - 1_250_000_000)
        #expect(missed.deadline(now, timeout: 1_000_000) == now - 1_000_000)
        missed.upToDate = now - 500_000_000
        #expect(missed.deadline(now, timeout: timeout) == now - 1_250_000_000)
        missed.upToDate = now - 1_100_000_000
        #expect(missed.deadline(now, timeout: timeout) == now - 1_350_000_000)
        missed.upToDate = now - 60_000_000_000
        #expect(missed.deadline(now, timeout: timeout) == now - timeout)
        missed.upToDate = 0
        #expect(missed.deadline(now, timeout: timeout) == now - timeout)
    }

    @Test func `Two threads never explain a packet by the same miss`() async {
        let missed = MissedStamps()
        missed.recordStamp()
        missed.update(counted(skipped: 1000))
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask { (0..<800).count { _ in missed.explain() == .inFlight } }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == 1000)
    }

    @Test func `Counters that would overflow are bounded`() {
        let missed = MissedStamps()
        missed.recordStamp()
        missed.update(counted(skipped: .max, timeouts: .max))
        #expect(missed.metBusyNIC == Int(UInt32.max))
        #expect(missed.explain() == .inFlight)
    }
}
