@testable import Report

/// Statistics of a hundred probes with every kind of row.
func sampleStatistics() -> SessionStatistics {
    var statistics = SessionStatistics()
    for sequence in 1...100 as ClosedRange<UInt32> {
        var probe = fullRecord()
        probe.sequence = sequence
        probe.clockEpoch = 0
        probe.delay = 12_345 + Int64(sequence) * 10
        var reply = row(.reply, sequence, -1_000_000 + Int64(sequence) * 1000)
        if sequence == 50 { reply.status = .lost }
        if sequence == 51 { probe.status = .reordered }
        if sequence == 99 { (probe.status, reply.status) = (.unknown, .unknown) }
        statistics.add(probe)
        statistics.add(reply)
        if sequence == 10 { statistics.add(row(.reply, 10, 5, .duplicate)) }
        if sequence == 11 { statistics.add(row(.probe, 11, nil, .corrupt)) }
        if sequence == 12 { statistics.add(row(.reply, 200, 5, .late)) }
    }
    return statistics
}

/// A summary in which all figures of one kind are different.
func sampleSummary(relative: Bool) -> RunSummary {
    var totals = RunSummary.SequenceTotals()
    totals.lostForward = 1
    totals.lostReverse = 2
    totals.lostUnknown = 3
    totals.duplicatedForward = 4
    totals.duplicatedReverse = 5
    totals.reorderedForward = 6
    totals.reorderedReverse = 7
    totals.late = 8
    let note =
        relative
        ? "relative: no bound of the clocks' offset is known"
        : "one clock: both instances run on the same kernel (boot id)"
    return RunSummary(
        session: "0123456789abcdef", peer: "192.0.2.2", interface: "eth0", duration: 10_004_000_000,
        statistics: sampleStatistics(), relative: relative, clockNote: note,
        probes: .init(sent: 100, notSent: 25, skipped: 0), totals: totals,
        ledger: TimestampLedger(
            sent: 100,
            kinds: [
                .init(name: "sched", stamped: 100),
                .init(name: "software", stamped: 90, late: 4, lostInBuffer: 3, skippedByDriver: 2, pending: 1),
                .init(name: "hardware", stamped: 80, inFlight: 13, never: 5, unsupported: 2),
            ]),
        replyLedger: TimestampLedger(sent: 1, kinds: [.init(name: "sched", stamped: 1)]),
        stampNotes: ["13 were busy.", "5 never came."],
        socket: .init(packets: 205, drops: 2, freezes: 1), sendErrors: 9,
        counters: [("strays", 3), ("short", 1), ("wrong ssid", 2)])
}
