import Report
import STAMPSession
import STAMPWire

extension Checks {
    /// The real reflector's counts, ledger and rows.
    func checkReflector() {
        let reflector = world.reflector
        for (life, result) in reflector.results.enumerated() {
            let replies = world.truth.replies.filter { $0.life == life }
            let sent = replies.count { !$0.isRefused }
            expect(result.totals.received == replies.count, "reflector: \(result.totals), really \(replies.count)")
            expect(result.totals.sent == sent, "reflector: \(result.totals), really \(sent)")
            expect(result.refusals == replies.count - sent, "reflector: \(result.refusals) refusals")
            checkLedger(
                reflector.ledgers[life], result.ledger, unknown: result.unknownStamps, of: "reflector, life \(life)")
        }
        guard scenario.reflector == .paired else { return }
        checkReflectorRows()
        checkEpochs(reflector.log.rows)
    }

    private func checkReflectorRows() {
        var rows: [UInt64: Int] = [:]
        for entry in world.reflector.log.rows {
            let row = entry.row
            guard let number = row.replySequence else { return expect(false, "a reflector's row has no number") }
            let sender = world.sender(of: row)
            guard
                let reply = world.truth.replies.first(where: {
                    $0.sender == sender && $0.number == number && $0.probe == row.sequence
                        && (row.packet == .reply || $0.received.app == row.receiveApp)
                })
            else { return expect(false, "a reflector's row is of no reply: \(row)") }
            rows[
                UInt64(reply.life) << 40 | UInt64(sender) << 33 | UInt64(number) << 1 | (row.packet == .probe ? 0 : 1),
                default: 0] += 1
            let probe = world.truth.probes[sender][Int(row.sequence)]
            checkDelay(row, "reflector's \(row.packet) \(row.sequence)")
            if row.packet == .probe {
                expect(
                    row.receiveSoftware == reply.received.software && row.receiveApp == reply.received.app
                        && row.receiveHardware == reply.received.nic.time,
                    "reflector's probe \(row.sequence): receipt \(row)")
                expect(row.transmitApp == probe.sent.app, "reflector's probe \(row.sequence): T1")
                expect(
                    (row.transmitSoftware ?? probe.sent.software) == probe.sent.software
                        && (row.transmitSched ?? probe.sent.sched) == probe.sent.sched
                        && (row.transmitHardware ?? probe.sent.nic.time) == probe.sent.nic.time,
                    "reflector's probe \(row.sequence): \(row), really \(probe.sent)")
            } else {
                let steps = world.reflector.ledgers[reply.life].packets[reply.entry].steps
                expect(row.transmitApp == reply.sent.app, "reflector's reply \(row.sequence): T3")
                expect(
                    row.status == .notSent
                        || row.transmitSoftware == (steps.software <= entry.step ? reply.sent.software : nil),
                    "reflector's reply \(row.sequence): driver \(row.transmitSoftware as Any), \(reply.sent)")
                expect((row.status == .notSent) == reply.isRefused, "reflector's reply \(row.sequence): \(row.status)")
            }
            if row.packet == .probe, let times = world.trueTimes(of: row, sender: sender) { checkError(row, times) }
        }
        guard scenario.reflectorWritesRows else { return expect(rows.isEmpty, "rows that were not asked for") }
        for reply in world.truth.replies where reply.isMeasured {
            for packet in [UInt64(0), 1] {
                let key = UInt64(reply.life) << 40 | UInt64(reply.sender) << 33 | UInt64(reply.number) << 1 | packet
                expect(rows[key] == 1, "reply \(reply.number) has \(rows[key] ?? 0) rows of a kind at the reflector")
            }
        }
    }
}
