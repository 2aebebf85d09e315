extension RunSummary {
    private static let labelWidth = 28
    private static let figureWidth = 11

    /// The summary as aligned tables for people: delays, then what became of the packets and of their timestamps.
    ///
    /// Figures have four significant digits and their unit. Rows without values are left out. Tables are at most 120
    /// columns wide. Ends with a line end.
    public func text() -> String {
        var lines = ["session \(session) to \(peer) over \(interface), \(roundedDurationText(duration))"]
        lines.append("clocks: \(clockNote)")
        lines += clockSteps.lines()
        if let left = leftOutLine() { lines.append(left) }
        if !relative, let error = errorLine("error of the one-way delay", largestError) { lines.append(error) }
        if let error = errorLine(
            "error of the NICs' timestamps as the hosts' time", { $0.stages.largestConversionError })
        {
            lines.append(error)
        }
        lines.append("")
        lines += delayLines()
        lines.append("")
        lines += countLines()
        lines += ledger.lines("timestamps")
        if let replyLedger, replyLedger.sent > 0 { lines += replyLedger.lines("of replies") }
        if let samples { lines += samples.lines() }
        if !stampNotes.isEmpty { lines += [""] + stampNotes }
        if let flows { lines += [""] + flows.lines() }
        lines.append("")
        lines.append(
            "socket: "
                + Self.list(
                    [("packets", socket.packets), ("drops", socket.drops)]
                        + [("freezes", socket.freezes), ("send errors", sendErrors)]))
        let counted = counters.filter { $0.value > 0 }
        if !counted.isEmpty { lines.append("counters: " + Self.list(counted)) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether delays are of more than one clock epoch between steps of the clocks.
    var isSplit: Bool {
        let sides = [statistics.forward, statistics.reverse]
        return clockSteps.count > 0 || sides.contains { !$0.later.isEmpty || $0.crossing > 0 || $0.delaysLeftOut > 0 }
    }

    private func errorLine(_ title: String, _ bound: (SessionStatistics.PerDirection) -> Int64?) -> String? {
        let errors = [("forward", statistics.forward), ("reverse", statistics.reverse)].compactMap { name, side in
            bound(side).map { "\(name) at most \(roundedDurationText($0))" }
        }
        return errors.isEmpty ? nil : "\(title): " + errors.joined(separator: ", ")
    }

    private func largestError(_ side: SessionStatistics.PerDirection) -> Int64? {
        side.epochs.compactMap(\.largestDelayError).max()
    }

    private func delayLines() -> [String] {
        var rows = epochRows("forward", statistics.forward) + epochRows("reverse", statistics.reverse)
        rows += [
            ("round trip", statistics.roundTrip),
            ("IPDV forward", statistics.forward.ipdv),
            ("IPDV reverse", statistics.reverse.ipdv),
        ]
        for (name, side) in [("forward", statistics.forward), ("reverse", statistics.reverse)] {
            for stage in HostPathStage.allCases { rows.append(("\(name) \(stage.label)", side.stages[stage])) }
        }
        rows.append(("send lateness", sendLateness))
        rows += samples?.histograms.map { ($0.label, $0.histogram) } ?? []
        let filled = rows.compactMap { row in HistogramSummary(row.1).map { (row.0, $0) } }
        if filled.isEmpty { return ["no delay was measured"] }
        let heading = Self.row("", HistogramSummary.columns, label: Self.labelWidth, width: Self.figureWidth)
        return [heading]
            + filled.map { label, summary in
                Self.row(
                    label, summary.figures.map { roundedDurationText($0.value) }, label: Self.labelWidth,
                    width: Self.figureWidth)
            }
    }

    /// The delays of a direction: a row for each clock epoch between two steps of the clocks.
    private func epochRows(
        _ name: String, _ side: SessionStatistics.PerDirection
    ) -> [(String, SignedHistogram)] {
        guard isSplit else { return [(name + (relative ? " (relative)" : ""), side.delay)] }
        return side.epochs.map { epochDelays in
            (
                name + " #\(epochDelays.epoch)" + (epochDelays.largestDelayError == nil ? " (relative)" : ""),
                epochDelays.delay
            )
        }
    }

    private func leftOutLine() -> String? {
        let forward = statistics.forward
        let reverse = statistics.reverse
        var parts: [String] = []
        if forward.crossing > 0 || reverse.crossing > 0 {
            parts.append(
                "on their way meanwhile, and without a delay: \(forward.crossing) probes, \(reverse.crossing) replies")
        }
        if forward.delaysLeftOut > 0 || reverse.delaysLeftOut > 0 {
            parts.append(
                "after the first \(SessionStatistics.epochLimit) clock epochs, and in no row below: "
                    + "\(forward.delaysLeftOut) probes, \(reverse.delaysLeftOut) replies")
        }
        return parts.isEmpty ? nil : "  " + parts.joined(separator: "\n  ")
    }

    private func countLines() -> [String] {
        let names = ["sent", "received", "ok", "reordered", "late", "lost", "unknown", "duplicate", "corrupt"]
        var lines = [Self.row("packets", names, label: 12, width: 12)]
        for (name, counts) in [("forward", statistics.forward.counts), ("reverse", statistics.reverse.counts)] {
            let values = [
                counts.sent, counts.received, counts.ok, counts.reordered, counts.late, counts.lost, counts.unknown,
                counts.duplicate, counts.corrupt,
            ]
            lines.append(Self.row(name, values.map { String($0) }, label: 12, width: 12))
        }
        let byProgram = (statistics.forward.delaysByProgram, statistics.reverse.delaysByProgram)
        if byProgram != (0, 0) {
            lines.append(
                "left out of the delays, since an end has a program's timestamp alone: forward \(byProgram.0), reverse \(byProgram.1)"
            )
        }
        lines.append("")
        lines.append(
            "lost: forward \(totals.lostForward), reverse \(totals.lostReverse), unknown \(totals.lostUnknown);"
                + " late \(totals.late)")
        lines.append(
            "duplicated: forward \(totals.duplicatedForward), reverse \(totals.duplicatedReverse);"
                + " reordered: forward \(totals.reorderedForward), reverse \(totals.reorderedReverse)")
        return lines
    }

    private static func row(_ label: String, _ cells: [String], label labelWidth: Int, width: Int) -> String {
        tableRow(label, cells, labelWidth: labelWidth, width: width)
    }

    /// Counters with their names, over several lines where they are many.
    private static func list(_ counters: [(name: String, value: UInt64)]) -> String {
        var text = ""
        var width = 10
        for (position, counter) in counters.enumerated() {
            let item = "\(counter.name) \(counter.value)"
            if position > 0 {
                text += ", "
                width += 2
                if width + item.count > 118 {
                    text += "\n  "
                    width = 2
                }
            }
            text += item
            width += item.count
        }
        return text
    }
}
