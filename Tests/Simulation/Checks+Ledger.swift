import Report
import STAMPSession

extension Checks {
    /// A ledger's columns are the simulator's own, and add up to the packets sent.
    func checkLedger(_ truth: LedgerTruth, _ ledger: TimestampLedger, unknown: UInt64, of name: String) {
        let expected = truth.ledger
        expect(ledger.isBalanced, "\(name): the ledger does not balance: \(ledger)")
        expect(ledger.sent == expected.sent, "\(name): the ledger has \(ledger.sent) packets, really \(expected.sent)")
        for (found, really) in zip(ledger.kinds, expected.kinds) {
            expect(found == really, "\(name): ledger \(found), really \(really)")
        }
        expect(unknown == truth.unknown, "\(name): \(unknown) unknown timestamps, really \(truth.unknown)")
    }

    /// Probes that were due are those sent, refused and skipped; each deadline is one of them.
    func checkDue(_ sender: SenderApp, _ result: SenderResult) {
        let due = result.totals.sent + result.totals.notSent + result.skippedDeadlines
        if let count = scenario.count, scenario.stop == nil {
            expect(due == count, "\(due) probes were due, really \(count)")
        }
        guard case .periodic = scenario.schedule, let from = sender.measuringFrom, let to = sender.measuringTo
        else { return }
        // Deadlines of the last 100 ms may be neither sent nor skipped, and the newest one is met or skipped later.
        let first = from + min(scenario.interval, 1_000_000) + Int64(sender.index) * 100_000
        func deadlines(until time: Int64) -> UInt64 {
            let all = time < first ? 0 : UInt64((time - first) / scenario.interval) + 1
            return min(all, scenario.count ?? .max)
        }
        let (least, most) = (deadlines(until: to - 100_000_001), deadlines(until: to))
        expect(due <= most && due + 1 >= least, "\(due) probes were due, really \(least) to \(most)")
    }

    /// Notices are bounded, whatever the peer does.
    func checkNotices(_ sender: SenderApp, _ result: SenderResult) {
        var counts = (restarts: 0, silence: 0, failing: 0, steps: 0, others: [0, 0, 0, 0, 0])
        for notice in sender.log.notices {
            switch notice {
            case .waitingForPeer: counts.others[0] += 1
            case .peerAnswered: counts.others[1] += 1
            case .peerSilent: counts.others[2] += 1
            case .clocksDisagree: counts.others[3] += 1
            case .deadlinesSkipped: counts.others[4] += 1
            case .peerRestarted: counts.restarts += 1
            case .noReply, .repliesAgain: counts.silence += 1
            case .sendFailing, .sendWorksAgain: counts.failing += 1
            case .clockSet: counts.steps += 1
            }
        }
        // Four, and then one in 30 s; CLOCK_MONOTONIC runs for less time than the run.
        let limit = 5 + Int((world.now - scenario.begin) / 29_000_000_000)
        expect(counts.others.allSatisfy { $0 <= 1 }, "repeated notices: \(counts)")
        expect(
            counts.restarts <= limit && counts.silence <= 2 * limit && counts.failing <= 2 * limit
                // Those of the opening phase have a list of their own.
                && counts.steps <= 2 * ClockSteps.limit,
            "more notices than \(limit): \(counts)")
    }
}
