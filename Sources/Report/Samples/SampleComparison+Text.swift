extension SampleComparison {
    /// Shares, order, losses and the first violations, one line each. The distributions are part of the run's summary.
    func lines() -> [String] {
        var lines = ["", "samples of psample group \(group):"]
        lines.append("  " + shareText("out", egress))
        lines.append("  " + shareText("in", ingress))
        if egress.sampled + ingress.sampled > 0 {
            var parts = ["\(egress.kept &+ ingress.kept) in order", "\(violated) out of order"]
            let clockSet = egress.clockSet &+ ingress.clockSet
            if clockSet > 0 { parts.append("\(clockSet) out of order because of a clock step") }
            lines.append("  order of timestamps and samples: " + parts.joined(separator: ", "))
        } else if egress.packets + ingress.packets > 0 {
            lines.append("  No packet of this run was sampled.")
            lines.append("  Set up group \(group) on this interface with scripts/psample-setup.")
        }
        for violation in violations { lines.append("    \(violation.text)") }
        if violated > violations.count { lines.append("    and \(violated &- UInt64(violations.count)) more") }
        if counts.hasFailed { lines.append("  Receiving samples failed during the run: later samples are missing.") }
        let counted = named.filter { $0.value > 0 }
        if !counted.isEmpty {
            lines.append("  samples: " + counted.map { "\($0.value) \($0.name)" }.joined(separator: ", "))
        }
        return lines
    }

    private func shareText(_ name: String, _ side: Side) -> String {
        guard side.packets > 0 else { return "\(name): no packets" }
        let sampled = percentText(Double(side.sampled) / Double(side.packets))
        let share = "\(name): \(side.sampled) of \(side.packets) packets, \(sampled)"
        guard let probability = side.probability, let deviation = side.deviation else { return share }
        // Two standard deviations include 95 of 100 runs.
        return share + "; expected: \(percentText(probability)) +- \(percentText(2 * deviation))"
    }

    /// The counts of samples, with their names in text and their keys in JSON.
    private var named: [(name: String, key: String, value: UInt64)] {
        [
            ("received", "heard", counts.heard), ("of this run", "own", counts.local),
            ("at other interfaces", "elsewhere", counts.elsewhere), ("too short", "too_short", counts.tooShort),
            ("without time", "without_time", counts.withoutTime), ("lost", "lost", counts.lost),
            ("lost in the buffer", "lost_in_buffer", counts.lostInBuffer), ("damaged", "damaged", counts.damaged),
            ("dropped", "dropped", counts.dropped), ("unmatched", "without_row", withoutRow),
            ("sampled and lost", "sampled_lost", sampledLost), ("duplicate", "repeated", repeated),
        ]
    }
}

extension SampleComparison {
    /// Writes the comparison as one JSON object.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("group")
        writer.value(group)
        write("egress", egress, to: &writer)
        write("ingress", ingress, to: &writer)
        for (metric, _, histogram) in histograms {
            guard let summary = HistogramSummary(histogram) else { continue }
            writer.key(metric)
            summary.write(to: &writer)
        }
        for (_, key, value) in named {
            writer.key(key)
            writer.value(value)
        }
        writer.key("listener_failed")
        writer.value(counts.hasFailed)
        writer.key("violations")
        JSONValue.array(violations.map(\.jsonValue)).write(to: &writer)
        writer.endObject()
    }

    private func write(_ name: String, _ side: Side, to writer: inout JSONWriter) {
        writer.key(name)
        let share = side.packets > 0 ? JSONValue.number(Double(side.sampled) / Double(side.packets)) : .null
        JSONValue.object([
            ("packets", .unsigned(side.packets)), ("sampled", .unsigned(side.sampled)), ("share", share),
            ("expected", side.probability.map(JSONValue.number) ?? .null),
            ("expected_stddev", side.deviation.map(JSONValue.number) ?? .null),
            ("in_order", .unsigned(side.kept)), ("violated", .unsigned(side.violated)),
            ("clock_set", .unsigned(side.clockSet)),
        ]).write(to: &writer)
    }
}
