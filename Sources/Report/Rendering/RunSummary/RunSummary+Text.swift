extension RunSummary {
    /// Returns the summary as text: losses, outages, delays, packets and timestamps.
    ///
    /// Figures have four significant digits and a unit. Rows without values are omitted. The text ends with a line end.
    ///
    /// - Parameter width: the columns of a line, at least 80. Sentences are wrapped, and tables show as many figures as
    ///   fit.
    public func text(width: Int = 80) -> String {
        let width = max(80, width)
        var lines = ["session \(session) to \(peerText) over \(interface), \(roundedDurationText(duration))"]
        lines += lossLines()
        lines += outages.lines()
        lines.append("clocks: \(clockNote)")
        lines += clockSteps.lines()
        lines += crossingLines()
        lines += basisLines()
        lines += boundLines()
        if let error = errorLine("error of converted NIC timestamps", { $0.stages.largestConversionError }) {
            lines.append(error)
        }
        lines.append("")
        lines += delayTable(width)
        lines.append("")
        lines += packetTable()
        lines += TimestampLedger.lines([("probes", ledger)] + (replyLedger.map { [("replies", $0)] } ?? []))
        if let samples { lines += samples.lines() }
        if !stampNotes.isEmpty { lines += [""] + stampNotes }
        if let flows { lines += [""] + flows.lines() }
        let counted = counterLines()
        if !counted.isEmpty { lines += [""] + counted }
        return lines.flatMap { wrapped($0, width: width) }.joined(separator: "\n") + "\n"
    }

    /// The losses in percent of the sent probes, and the probes that were not sent in percent of those that were due.
    private func lossLines() -> [String] {
        let sent = probes.sent
        let lost = totals.lost
        func share(_ part: UInt64) -> String {
            sent == 0 ? "" : part == 0 ? " (0 %)" : " (\(percentText(part, of: sent)))"
        }
        var line = "lost: \(lost) of \(sent) sent\(share(lost))"
        let parts = [
            (totals.lostForward, "forward"), (totals.lostReverse, "reverse"), (totals.lostUnknown, "direction unknown"),
        ].filter { $0.0 > 0 }
        if let only = parts.first, parts.count == 1 {
            line += ", \(lost == 1 ? "" : "all ")\(only.1)"
        } else if !parts.isEmpty {
            line += ": " + parts.map { "\($0.0) \($0.1)\(share($0.0))" }.joined(separator: ", ")
        }
        var lines = [line]
        if probes.notSent > 0 || probes.skipped > 0 {
            let parts = [(probes.notSent, "not sent"), (probes.skipped, "skipped")].filter { $0.0 > 0 }
            lines.append(
                "due: \(probes.due) = \(sent) sent + "
                    + parts.map { "\($0.0) \($0.1) (\(percentText($0.0, of: probes.due)))" }.joined(separator: " + "))
        }
        let others = [
            ("late", totals.late, nil), ("duplicated", totals.duplicatedForward, totals.duplicatedReverse),
            ("reordered", totals.reorderedForward, totals.reorderedReverse),
        ].filter { $0.1 > 0 || ($0.2 ?? 0) > 0 }
        if !others.isEmpty {
            lines.append(
                others.map { name, forward, reverse in
                    reverse.map { "\(name): \(forward) forward, \($0) reverse" } ?? "\(name): \(forward)"
                }.joined(separator: "; "))
        }
        return lines
    }

    /// True if there are delays of several clock epochs.
    var isSplit: Bool {
        let sides = [statistics.forward, statistics.reverse]
        return clockSteps.count > 0
            || sides.contains { !$0.later.isEmpty || $0.crossing > 0 || $0.delaysBeyondEpochLimit > 0 }
    }

    private var sides: [(name: String, side: DirectionStatistics)] {
        [("forward", statistics.forward), ("reverse", statistics.reverse)]
    }

    /// The points between which delays are measured, unless they are the usual ones, and the counts of delays between
    /// other points.
    private func basisLines() -> [String] {
        var lines: [String] = []
        for (name, side) in sides {
            guard let basis = side.basis, basis != .driverToKernel, basis != .nicToNIC else { continue }
            lines.append("\(name) delays are from \(basis.text), since better timestamps are missing")
        }
        for (name, side) in sides where !side.excludedDelays.isEmpty {
            let parts = side.excludedDelays.map { "\($0.count) from \($0.basis.text)" }
            lines.append("\(name) delays with worse timestamps, not in the table: " + parts.joined(separator: ", "))
        }
        return lines
    }

    /// The bounds of the delays' errors, and the number of delays with a bound if some have none.
    private func boundLines() -> [String] {
        let bounded = sides.map { ($0.name, $0.side.epochs.reduce(0) { $0 &+ $1.boundedCount }, $0.side) }
        var lines: [String] = []
        if let line = errorLine("error of the one-way delay", { $0.epochs.compactMap(\.largestDelayError).max() }) {
            lines.append(line)
        }
        let mixed = bounded.filter { name, count, side in
            count > 0 && side.epochs.contains { $0.relativeCount > 0 }
        }
        if !mixed.isEmpty {
            lines.append(
                "  delays with a bound: "
                    + mixed.map { name, count, side in
                        let all = side.epochs.reduce(0 as UInt64) { $0 &+ $1.delay.count }
                        return "\(name) \(count) of \(all); the other \(all &- count) are relative"
                    }.joined(separator: "; "))
        }
        return lines
    }

    private func errorLine(_ title: String, _ bound: (DirectionStatistics) -> Int64?) -> String? {
        let errors = sides.compactMap { name, side in
            bound(side).map { "\(name) at most \(roundedDurationText($0))" }
        }
        return errors.isEmpty ? nil : "\(title): " + errors.joined(separator: ", ")
    }

    private func delayTable(_ width: Int) -> [String] {
        let rows = delayRows().filter { !$0.1.isEmpty }
        guard !rows.isEmpty else { return ["No delay was measured."] }
        return TextTable.distributions(rows, width: width)
    }

    private func delayRows() -> [(String, SignedHistogram)] {
        var rows = sides.flatMap { epochRows($0.name, $0.side) }
        rows.append(("round trip", statistics.roundTrip))
        rows += sides.map { ("IPDV \($0.name)", $0.side.ipdv) }
        for (name, side) in sides {
            // Abbreviated, to leave space for the stage.
            let way = name == "forward" ? "fwd" : "rev"
            rows += HostPathStage.allCases.map { ("\(way) \($0.label)", side.stages[$0]) }
        }
        rows.append(("send lateness", sendLateness))
        return rows + (samples?.histograms.map { ($0.label, $0.histogram) } ?? [])
    }

    /// The rows of a direction's delays, one for each clock epoch.
    private func epochRows(_ name: String, _ side: DirectionStatistics) -> [(String, SignedHistogram)] {
        side.epochs.map { epoch in
            let number = isSplit ? " #\(epoch.epoch)" : ""
            // If some delays have a bound, another line shows their number.
            let isRelative = isSplit ? epoch.boundedCount == 0 : relative && epoch.boundedCount == 0
            return (name + number + (isRelative ? " relative" : ""), epoch.delay)
        }
    }

    private func crossingLines() -> [String] {
        let forward = statistics.forward
        let reverse = statistics.reverse
        var lines: [String] = []
        if forward.crossing > 0 || reverse.crossing > 0 {
            lines.append(
                "  on the path during a step, without a delay: \(forward.crossing) probes, \(reverse.crossing) replies")
        }
        if forward.delaysBeyondEpochLimit > 0 || reverse.delaysBeyondEpochLimit > 0 {
            lines.append(
                "  after the first \(SessionStatistics.epochLimit) clock epochs, in no row below: "
                    + "\(forward.delaysBeyondEpochLimit) probes, \(reverse.delaysBeyondEpochLimit) replies")
        }
        return lines
    }

    private func packetTable() -> [String] {
        let counts = [statistics.forward.counts, statistics.reverse.counts]
        let rows: [(name: String, isAlways: Bool, value: (DirectionCounts) -> UInt64)] = [
            ("sent", true, \.sent), ("received", true, \.received), ("ok", true, \.ok),
            ("reordered", false, \.reordered),
            ("late", false, \.late), ("lost", true, \.lost), ("unknown", false, \.unknown),
            ("duplicate", false, \.duplicate), ("corrupt", false, \.corrupt), ("not sent", false, \.notSent),
        ]
        var table = TextTable()
        table.add("packets", sides.map(\.name))
        for row in rows where row.isAlways || counts.contains(where: { row.value($0) > 0 }) {
            table.add(row.name, counts.map { String(row.value($0)) })
        }
        return table.lines
    }

    /// The counters. Those of a socket are always shown, the others only if they have counted something.
    private func counterLines() -> [String] {
        var counters = counters
        var lines: [String] = []
        if let socket {
            lines.append("socket: " + countersText(socket.named + [("send errors", sendErrors)]))
        } else {
            counters.insert(("send errors", sendErrors), at: 0)
        }
        counters.removeAll { $0.value == 0 }
        if !counters.isEmpty { lines.append("counters: " + countersText(counters)) }
        return lines
    }
}
