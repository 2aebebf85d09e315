import Report
import STAMPSession
import Testing

/// Runs that once disagreed with the truth, and runs of one thing each.
@Suite struct RegressionTests {
    @Test func `On a path without faults every probe is answered, in order and without a missing timestamp`() {
        let checks = verify(.plain())
        let totals = checks.world.senders[0].result?.totals
        #expect(totals?.received == 100 && totals?.sent == 100)
        #expect(checks.losses.text.contains("0 losses"))
        let rows = checks.world.senders[0].log.rows.map(\.row)
        #expect(rows.allSatisfy { $0.status == .ok && $0.transmitSoftware != nil && $0.receiveSoftware != nil })
    }

    @Test func `A timestamp that never comes is written off even if its probe's slot is used again before`() {
        var scenario = Scenario.plain()
        (scenario.interval, scenario.timeout, scenario.count) = (1_000_000, 20_000_000, 1_500)
        scenario.local.kernel.skipped = 0.2
        scenario.remote.kernel.skipped = 0.2
        let checks = verify(scenario)
        // Only those of the last 1.25 s still wait.
        let kinds = checks.world.senders[0].result?.ledger.kinds ?? []
        #expect(kinds[0].skippedByDriver > 200)
        #expect(kinds[0].pending < 100)
    }

    @Test func `A duplicated reply to a duplicated probe is a duplicate of the reply alone`() {
        var scenario = Scenario.plain()
        scenario.forward.duplication = 0.4
        scenario.reverse.duplication = 0.4
        verify(scenario)
        scenario.reflector = .stateful
        verify(scenario)
    }

    @Test func `A follow-up of the NIC's timestamp is not taken for the driver's`() {
        var scenario = Scenario.plain()
        scenario.usesHardwareOnly = true
        scenario.local.kernel.stamps = [.sched, .software, .hardware]
        scenario.remote.kernel.stamps = [.sched, .software, .hardware]
        scenario.schedule = .burst(20)
        (scenario.interval, scenario.count) = (1_000_000, 400)
        scenario.reverse.loss = .independent(0.4)
        verify(scenario)
    }

    @Test func `Losses of slow probes have a direction`() {
        var scenario = Scenario.plain()
        (scenario.interval, scenario.timeout, scenario.count) = (500_000_000, 100_000_000, 100)
        scenario.forward.loss = .independent(0.1)
        scenario.reverse.loss = .independent(0.1)
        verify(scenario)
    }

    @Test func `Losses of both directions on a path with reordering follow the rule`() {
        var scenario = Scenario.plain()
        (scenario.interval, scenario.timeout, scenario.count) = (100_000, 20_000_000, 1_000)
        for loss in [0.05, 0.2, 0.5] {
            scenario.forward.loss = .independent(loss)
            scenario.reverse.loss = .independent(loss)
            scenario.forward.delay = .uniform(1_000_000, 3_000_000)
            scenario.forward.reorders = true
            verify(scenario)
        }
    }

    @Test func `A host that sends PTP timestamps gets answers`() {
        var scenario = Scenario.plain()
        scenario.local.usesPTPFormat = true
        verify(scenario)
        scenario.remote.usesPTPFormat = true
        scenario.reflector = .followUp
        verify(scenario)
        scenario.reflector = .paired
        verify(scenario)
        #expect(verify(scenario).world.senders[0].result?.totals.received == 100)
    }

    @Test func `The bound of a delay's error holds for the time of the packet`() {
        var scenario = Scenario.plain()
        scenario.local.isSynchronized = true
        scenario.remote.isSynchronized = true
        scenario.remote.tracksError = true
        // The clock comes nearer to true time by 400 us/s, and the timestamps are late.
        (scenario.remote.offset, scenario.remote.rate) = (1_000_000, -400_000)
        scenario.remote.kernel.skipped = 0.2
        (scenario.interval, scenario.count) = (5_000_000, 400)
        verify(scenario)
    }
}
