extension SampleStatistics {
    /// The summary as text.
    public func text(duration: Int64) -> String {
        var text = "\(samples) samples in \(roundedDurationText(duration)), \(stampPackets) of them STAMP\n"
        for group in groups {
            text += "  group \(group.number): \(counts[group.number] ?? 0) samples"
            if let rates = rates[group.number] { text += " at \(rates.joined(separator: " and "))" }
            text += ", \(group.lost) lost (sequence gaps)"
            for (name, count) in [
                ("reordered", group.reordered), ("repeated", group.repeated), ("restarts", group.restarts),
            ] where count > 0 {
                text += ", \(count) \(name)"
            }
            text += "\n"
        }
        if dropped > 0 { text += "  \(dropped) notifications lost to a full receive buffer\n" }
        if malformed > 0 { text += "  \(malformed) malformed messages\n" }
        for (key, session) in sortedSessions { text += line(key, session) }
        if early > 0 { text += "  \(early) STAMP packets were sampled before they were sent\(earlyText)\n" }
        return text + table
    }

    private var earlyText: String {
        guard let record = firstEarly, let stamp = record.stamp, let sent = stamp.sent, let sampled = record.timestamp
        else { return "" }
        return
            ": the first, \(stamp.kind) \(stamp.sequence), was sampled at \(timestampText(sampled)) but carries the send "
            + "time \(timestampText(sent)). Check whether this host's clock was set."
    }

    private func line(_ key: SampledSession, _ session: Session) -> String {
        var line = "  \(key.kind) \(key.from) > \(key.to)"
        if let direction = key.direction { line += " \(direction)" }
        line += ": \(session.samples) of \(session.packets) sampled"
        if session.packets > 0 {
            line += ", \(percentText(Double(session.samples) / Double(session.packets)))"
            if let probability = session.probability { line += " (sampler's rate: \(percentText(probability)))" }
        }
        return line + "\n"
    }

    private var distributions: [(key: String, label: String, histogram: SignedHistogram)] {
        [
            ("latency", "latency", latency), ("sent_to_sample_out", "sent to sample, out", sentToSampleOut),
            ("sent_to_sample_in", "sent to sample, in", sentToSampleIn),
            ("sampled_to_read", "sampled to read", delivery),
        ]
    }

    private var table: String {
        let lines = TextTable.distributions(distributions.map { ($0.label, $0.histogram) }, width: 80)
        return lines.map { $0 + "\n" }.joined()
    }

    /// The summary as one JSON object on a line.
    public func json(duration: Int64) -> String {
        var writer = JSONWriter()
        func members(_ object: [(key: String, value: JSONValue)]) {
            for (key, value) in object {
                writer.key(key)
                value.write(to: &writer)
            }
        }
        writer.beginObject()
        members([
            ("type", .string("summary")), ("duration_ns", .integer(duration)), ("samples", .unsigned(samples)),
            ("stamp_packets", .unsigned(stampPackets)), ("dropped", .unsigned(dropped)),
            ("malformed", .unsigned(malformed)), ("groups", .array(groups.map(jsonValue))),
            ("sessions", .array(sortedSessions.map { jsonValue($0.key, $0.value) })),
        ])
        writer.key("sampled_before_sent")
        writer.value(early)
        for (key, _, histogram) in distributions {
            writer.key(key)
            if let summary = HistogramSummary(histogram) { summary.write(to: &writer) } else { writer.null() }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private func jsonValue(_ group: Group) -> JSONValue {
        .object([
            ("group", .integer(Int64(group.number))), ("samples", .unsigned(counts[group.number] ?? 0)),
            ("rates", .array((rates[group.number] ?? []).map { .string($0) })),
            ("lost", .unsigned(group.lost)), ("reordered", .unsigned(group.reordered)),
            ("repeated", .unsigned(group.repeated)), ("restarts", .unsigned(group.restarts)),
        ])
    }

    private func jsonValue(_ key: SampledSession, _ session: Session) -> JSONValue {
        .object([
            ("kind", .string(key.kind)), ("from", .string(key.from)), ("to", .string(key.to)),
            ("ssid", key.ssid.map { .integer(Int64($0)) } ?? .null),
            ("group", key.group.map { .integer(Int64($0)) } ?? .null),
            ("direction", key.direction.map { .string($0) } ?? .null), ("samples", .unsigned(session.samples)),
            ("packets", .unsigned(session.packets)),
            ("fraction", .number(Double(session.samples) / Double(session.packets))),
            ("probability", session.probability.map { .number($0) } ?? .null),
        ])
    }
}
