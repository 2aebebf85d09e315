import Report
import STAMPSession

extension Checks {
    /// Each loss has its true direction, or none where the rule leaves it unknown.
    func checkLosses(_ rows: SenderRows, _ sender: SenderApp) {
        let probes = world.truth.probes[sender.index]
        var reference = LossReference(
            world.truth, sender.index, capacity: Int(sender.capacity), isPaired: scenario.reflector == .paired,
            lostSteps: rows.lostSteps(sender))
        losses.probes += probes.count
        // In the order in which the rows were written.
        for entry in sender.log.rows where entry.row.packet == .probe {
            let sequence = Int(entry.row.sequence)
            let probe = probes[sequence]
            guard entry.row.status != .duplicate, rows.reply[sequence] >= 0 else { continue }
            let reply = sender.log.rows[rows.reply[sequence]].row.status
            let status = entry.row.status
            if probe.refusal != nil {
                let code = entry.row.sendError.map(Int32.init)
                expect(
                    status == .notSent && reply == .absent && code == probe.refusal,
                    "probe \(sequence) was refused: \(status), \(reply), \(code as Any)")
                continue
            }
            let isLost = status == .lost || status == .unknown || reply == .lost
            let wasAnswered =
                probe.firstDelivery >= 0
                && world.truth.deliveries[probe.firstDelivery].step <= entry.step
            expect(isLost != wasAnswered, "probe \(sequence): \(status), \(reply), answered: \(wasAnswered)")
            guard isLost else { continue }
            reference.advance(to: entry.step)
            let rule = reference.direction(of: sequence, probes: Int(entry.probes))
            losses.add(rule)
            let hasReached = probe.firstReply >= 0
            let found: LossReference.Direction? =
                status == .lost ? .forward : reply == .lost ? .reverse : nil
            let name = "probe \(sequence) lost \(found?.rawValue ?? "unknown"), by the rule \(rule)"
            if let found, (found == .reverse) != hasReached {
                // The rule counts: a duplicated or reordered probe's lost reply can take the place of another's, and
                // nothing shows that a foreign reflector has restarted if its number is not far below the newest.
                losses.misjudged += 1
                let isExcusable =
                    scenario.forward.duplication > 0 || scenario.forward.reorders || reference.isMisled
                expect(
                    (found == rule || reference.isMisled) && isExcusable,
                    "\(name), but it was \(hasReached ? "" : "not ")answered",
                    about: entry.row.sequence, of: sender.index)
            }
            if found == nil, rule.isKnown { losses.undetermined[rule, default: 0] += 1 }
            // A gap is searched once for several losses: its first probe may lose its slot meanwhile.
            if rule == .noLongerKept, found == .reverse, hasReached { continue }
            if reference.isMisled { continue }
            expect(found == (rule.isKnown ? rule : nil), name, about: entry.row.sequence, of: sender.index)
        }
    }

    /// The outages are those of the rows.
    func checkOutages(_ rows: SenderRows, _ sender: SenderApp, _ result: SenderResult) {
        let really = OutageReference.outages(rows, sender, world)
        let found = result.outages
        expect(found.count == really.count, "\(found.count) outages, really \(really.count)")
        for (one, other) in zip(found.listed, really) {
            expect(other.equals(one), "outage \(one), really \(other)")
        }
    }

    /// Duplicates and reordering, as the sender can see them.
    func checkOrder(_ rows: SenderRows, _ sender: SenderApp, _ result: SenderResult) {
        let really = OrderReference(rows, sender, world)
        guard really.isMeaningful else { return }
        let found = result.totals.sequence
        expect(
            found.duplicatedForward == really.duplicatedForward && found.duplicatedReverse == really.duplicatedReverse,
            "duplicates \(found), really \(really.duplicatedForward) and \(really.duplicatedReverse)")
        expect(
            found.reorderedReverse == really.reorderedReverse,
            "reordered replies \(found.reorderedReverse), really \(really.reorderedReverse)")
        expect(
            found.reorderedForward == really.reorderedForward,
            "reordered probes \(found.reorderedForward), really \(really.reorderedForward)")
        expect(found.late == really.late, "late \(found.late), really \(really.late)")
    }
}
