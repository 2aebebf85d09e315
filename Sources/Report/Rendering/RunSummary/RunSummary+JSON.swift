extension RunSummary {
    /// Returns the summary as one JSON object on one line, without a line end. Times are integers in nanoseconds, and
    /// the keys have a fixed order. Histograms without values are omitted.
    public func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        writer.value("summary")
        writer.key("session")
        writer.value(session)
        writer.key("peer")
        writer.value(peer)
        if let peerName {
            writer.key("name")
            writer.value(peerName)
        }
        writer.key("interface")
        writer.value(interface)
        writer.key("duration_ns")
        writer.value(duration)
        writer.key("relative")
        writer.value(relative)
        writer.key("clock_note")
        writer.value(clockNote)
        if let steps = clockSteps.jsonValue() {
            writer.key("clock_steps")
            steps.write(to: &writer)
        }
        write("forward", statistics.forward, to: &writer)
        write("reverse", statistics.reverse, to: &writer)
        write("rtt", statistics.roundTrip, to: &writer)
        write("send_lateness", sendLateness, to: &writer)
        write("totals", totals.named, to: &writer)
        writer.key("stamps")
        ledger.jsonValue.write(to: &writer)
        if let replyLedger {
            writer.key("reply_stamps")
            replyLedger.jsonValue.write(to: &writer)
        }
        if let samples {
            writer.key("samples")
            samples.write(to: &writer)
        }
        writer.key("stamp_notes")
        JSONValue.array(stampNotes.map(JSONValue.string)).write(to: &writer)
        if let flows {
            writer.key("flows")
            flows.jsonValue.write(to: &writer)
        }
        if let socket { write("socket", socket.named, to: &writer) }
        writer.key("send_errors")
        writer.value(sendErrors)
        write("counters", counters, to: &writer)
        write(
            "probes",
            [
                ("due", probes.due), ("sent", probes.sent), ("not_sent", probes.notSent), ("skipped", probes.skipped),
            ], to: &writer)
        writeLossRatios(to: &writer)
        writer.key("outages")
        outages.jsonValue.write(to: &writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func write(_ name: String, _ side: DirectionStatistics, to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        let counts = side.counts
        write(
            "packets",
            [
                ("sent", counts.sent), ("received", counts.received), ("ok", counts.ok),
                ("reordered", counts.reordered), ("late", counts.late), ("lost", counts.lost),
                ("unknown", counts.unknown), ("duplicate", counts.duplicate), ("corrupt", counts.corrupt),
                ("not_sent", counts.notSent),
            ], to: &writer)
        write("delay", side.delay, to: &writer)
        if let error = side.largestDelayError {
            writer.key("delay_error_max_ns")
            writer.value(error)
        }
        if isSplit { writeEpochs(side, to: &writer) }
        if side.delaysByApplication > 0 {
            writer.key("delays_by_program")
            writer.value(side.delaysByApplication)
        }
        if let error = side.stages.largestConversionError {
            writer.key("card_error_max_ns")
            writer.value(error)
        }
        write("ipdv", side.ipdv, to: &writer)
        for stage in HostPathStage.allCases { write(stage.metric, side.stages[stage], to: &writer) }
        // Keys that version 0.1.0 does not have, or has only under another name.
        for stage in HostPathStage.allCases where stage.metric != stage.text {
            write(stage.text, side.stages[stage], to: &writer)
        }
        if let error = side.stages.largestConversionError {
            writer.key("nic_error_max_ns")
            writer.value(error)
        }
        if let basis = side.basis {
            writer.key("delay_basis")
            writer.value(basis.label)
        }
        if !side.excludedDelays.isEmpty {
            write("delays_not_shown", side.excludedDelays.map { ($0.basis.label, $0.count) }, to: &writer)
        }
        writeBounds(side.epochs[0], to: &writer)
        writer.endObject()
    }

    private func writeBounds(_ epoch: EpochDelays, to writer: inout JSONWriter) {
        guard !epoch.delay.isEmpty else { return }
        write("delay_bounds", [("bounded", epoch.boundedCount), ("relative", epoch.relativeCount)], to: &writer)
    }

    private func writeLossRatios(to writer: inout JSONWriter) {
        writer.key("loss_ratio")
        writer.beginObject()
        for (key, lost) in [
            ("forward", totals.lostForward), ("reverse", totals.lostReverse), ("unknown", totals.lostUnknown),
        ] {
            writer.key(key)
            writer.value(probes.sent == 0 ? .nan : Double(lost) / Double(probes.sent))
        }
        writer.endObject()
    }

    /// Writes the delays of every clock epoch, including the first, and the counts of packets in none.
    private func writeEpochs(_ side: DirectionStatistics, to writer: inout JSONWriter) {
        writer.key("delays")
        writer.beginArray()
        for epochDelays in side.epochs {
            writer.beginObject()
            writer.key("clock_epoch")
            writer.value(epochDelays.epoch)
            write("delay", epochDelays.delay, to: &writer)
            if let error = epochDelays.largestDelayError {
                writer.key("delay_error_max_ns")
                writer.value(error)
            }
            writeBounds(epochDelays, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.key("crossing")
        writer.value(side.crossing)
        writer.key("delays_left_out")
        writer.value(side.delaysBeyondEpochLimit)
    }

    private func write(_ name: String, _ histogram: SignedHistogram, to writer: inout JSONWriter) {
        guard let summary = HistogramSummary(histogram) else { return }
        writer.key(name)
        summary.write(to: &writer)
    }

    private func write(_ name: String, _ counts: [(name: String, value: UInt64)], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        for count in counts {
            writer.key(count.name)
            writer.value(count.value)
        }
        writer.endObject()
    }
}
