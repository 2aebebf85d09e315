import Report
import STAMPSession

/// The comparison of one run's results with the truth. Each check adds what it found wrong.
final class Checks {
    let world: World
    var scenario: Scenario { world.scenario }
    private(set) var failures: [String] = []
    /// The losses of the run, by what became of them.
    var losses = LossTally()
    private static let limit = 8

    init(_ world: World) { self.world = world }

    /// Runs a scenario, and returns what is wrong with its results.
    static func run(_ scenario: Scenario) -> Checks {
        let world = World(scenario)
        world.run()
        let checks = Checks(world)
        checks.checkAll()
        return checks
    }

    /// - Parameter probe: the probe that the check is about, and its sender: its history is added to the failure.
    func expect(
        _ condition: Bool, _ text: @autoclosure () -> String, about probe: UInt32? = nil, of sender: Int = 0
    ) {
        guard !condition, failures.count < Self.limit else { return }
        failures.append(text())
        guard let probe, failures.count == 1 else { return }
        let count = world.truth.probes[sender].count
        for near in max(0, Int(probe) - 3)..<min(count, Int(probe) + 4) {
            failures[0] += "\n" + world.trace(near, sender: sender)
        }
    }

    private func checkAll() {
        for sender in world.senders {
            guard let result = sender.result else {
                expect(false, "sender \(sender.index) is not over after \(world.eventCount) events")
                continue
            }
            checkNotices(sender, result)
            checkLedger(sender.ledger, result.ledger, unknown: result.unknownStamps, of: "sender \(sender.index)")
            let rows = SenderRows(sender, world)
            checkNumber(of: rows, sender)
            checkTotals(rows, sender, result)
            checkOutages(rows, sender, result)
            checkDue(sender, result)
            guard scenario.reflector != .hostile else { continue }
            checkTimestamps(rows, sender)
            checkEpochs(sender.log.rows)
            checkLosses(rows, sender)
            checkOrder(rows, sender, result)
            checkSteps(sender, result)
        }
        checkReflector()
    }
}

/// The rows of one sender by their probes.
struct SenderRows {
    /// Indices of rows in the log; -1: none.
    private(set) var probe: [Int]
    private(set) var reply: [Int]
    /// The rows beyond the first of their kind that are no duplicates.
    private(set) var surplus = 0
    private(set) var probeDuplicates = 0
    private(set) var replyDuplicates = 0
    /// Rows of probes that were never sent.
    private(set) var strangers = 0

    /// For each probe the step in which its rows were written as lost; .max: they were not.
    func lostSteps(_ sender: SenderApp) -> [Int] {
        zip(probe, reply).map { probe, reply in
            guard probe >= 0, reply >= 0 else { return .max }
            let entry = sender.log.rows[probe]
            let isLost = [.lost, .unknown].contains(entry.row.status) || sender.log.rows[reply].row.status == .lost
            return isLost ? sender.log.rows[reply].step : .max
        }
    }

    init(_ sender: SenderApp, _ world: World) {
        let count = world.truth.probes[sender.index].count
        probe = Array(repeating: -1, count: count)
        reply = Array(repeating: -1, count: count)
        for (index, entry) in sender.log.rows.enumerated() {
            let sequence = Int(entry.row.sequence)
            guard sequence < count else {
                strangers += 1
                continue
            }
            switch (entry.row.packet, entry.row.status) {
            case (.probe, .duplicate): probeDuplicates += 1
            case (.reply, .duplicate): replyDuplicates += 1
            case (.probe, _): if probe[sequence] < 0 { probe[sequence] = index } else { surplus += 1 }
            case (.reply, _): if reply[sequence] < 0 { reply[sequence] = index } else { surplus += 1 }
            }
        }
    }
}
