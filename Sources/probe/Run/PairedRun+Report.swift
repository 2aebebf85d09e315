import FastAFPacket
import LinuxKernel
import Report
import STAMPSession

extension PairedRun {
    /// Prints the summaries, writes histogram and description, and throws the error that determines the exit code.
    func report(
        _ outcome: Outcome, _ sessions: RunSessions, _ nic: NIC, _ receipts: ReceiveStamping, _ flows: FlowHistory?,
        _ description: inout RunDescription
    ) throws(ProbeError) {
        let common = options.common
        let summaries = sessions.entries.indices.map { index in
            summary(outcome, sessions.entries[index], index, receipts, flows)
        }
        let printing = Result { () throws(ProbeError) in try printAll(summaries, sessions) }
        if let path = options.histogram {
            let statistics = zip(sessions.entries, outcome.recorder.sessions).map {
                (session: $0.session, statistics: $1.statistics)
            }
            try RunOutputs.writeHistogram(path, statistics, outcome.recorder.samples)
        }
        complete(&description, outcome, sessions, summaries, nic, flows)
        if let path = common.log { try RunOutputs.write(description, besideLog: path, replacing: true) }
        // The files are written even if the summary cannot be printed.
        try printing.get()
        if let error = outcome.recorder.logFailure { throw .file("\(common.log ?? "log"): \(error)") }
        if let error = outcome.endpoint.failure {
            if error.code == ErrorCode.noSuchAddress || error.code == ErrorCode.noDevice {
                throw .noInterface(
                    "\(interface.name) went away during the measurement. Check the interface, and start again.")
            }
            throw .system(error)
        }
        if let error = worstError(outcome, sessions, summaries) { throw error }
    }

    private func printAll(_ summaries: [RunSummary], _ sessions: RunSessions) throws(ProbeError) {
        let isJSON = options.common.output == .json
        let width = terminalWidth() ?? 80
        let separator = isJSON ? "\n" : "\n"
        var text = summaries.map { isJSON ? $0.json() + "\n" : $0.text(width: width) }.joined(
            separator: isJSON ? "" : separator)
        if summaries.count + sessions.unreachable.count > 1 {
            let table = PeerTable(
                summaries, unreachable: sessions.unreachable.map { ("\($0.peer)", "\($0.error)") })
            text += isJSON ? table.json() + "\n" : separator + table.text(width: width)
        }
        try RunOutputs.print(text)
    }

    private func complete(
        _ description: inout RunDescription, _ outcome: Outcome, _ sessions: RunSessions,
        _ summaries: [RunSummary], _ nic: NIC, _ flows: FlowHistory?
    ) {
        description.set(
            "duration_ns", .integer(outcome.endpoint.senders.map(\.duration).max() ?? 0))
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        if let first = summaries.first {
            description.set("relative", .bool(first.relative))
            description.set("clock_note", .string(first.clockNote))
            if let steps = first.clockSteps.jsonValue() { description.set("clock_steps", steps) }
        }
        if let flows { description.set("flows", flows.jsonValue) }
        description.set(
            peers: zip(sessions.entries, outcome.endpoint.senders).map { facts(of: $0, $1.relation) })
    }

    /// The error of the first session that failed.
    private func worstError(
        _ outcome: Outcome, _ sessions: RunSessions, _ summaries: [RunSummary]
    ) -> ProbeError? {
        for (index, entry) in sessions.entries.enumerated() {
            if let error = error(outcome.endpoint.senders[index], summaries[index], entry.peer) { return error }
        }
        return sessions.unreachable.first?.error
    }

    private func error(_ sender: SenderResult, _ summary: RunSummary, _ peer: NamedPeer) -> ProbeError? {
        if sender.totals.received == 0, summary.probes.due > 0 || !sender.hasAnswered,
            !sender.hasAnswered || summary.outages.open == nil
        {
            return .noReply("No reply came from \(peer). \(adviceWithoutReply)")
        }
        guard let last = summary.outages.open else { return nil }
        return .peerStopped(
            "Replies from \(peer) stopped at \(clockText(last.start)): \(last.probes) probes in "
                + "\(roundedDurationText(last.duration)) went unanswered, up to the end of the run. "
                + (last.cause.map { "Cause: \($0)." } ?? "Check the peer and the path to it."))
    }

    private var adviceWithoutReply: String {
        let common = options.common
        let question = "Is `probe run` or `probe reflect` running on the peer, on port \(common.port)"
        guard common.transport == .l2 else { return question + ", and does a firewall pass UDP to that port?" }
        let nic =
            (common.vlan ?? 0) == 0
            ? ""
            : " A NIC that filters VLANs (`ethtool -k`: rx-vlan-filter) drops this VLAN's frames before any process "
                + "receives them."
        return question
            + ", with `--transport l2` and the same --frame and --vlan, and is this its interface's address on the "
            + "same network?"
            + nic
    }

    /// A peer's facts for the description.
    ///
    /// - Parameter relation: nil before the end of the run.
    func facts(of entry: RunSessions.Entry, _ relation: ClockRelation?) -> [(key: String, value: JSONValue)] {
        var facts: [(key: String, value: JSONValue)] = [
            ("address", .string("\(entry.peer.peer)")), ("port", .integer(Int64(options.common.port))),
        ]
        if let relation {
            facts += [
                ("paired", .bool(relation.peerBootHash != nil)), ("same_kernel", .bool(relation.isOneClock)),
                ("error_bound_ns", relation.error.map(JSONValue.integer) ?? .null),
            ]
        }
        facts.append(("session", .string(sessionText(entry.session))))
        if let name = entry.peer.name { facts.append(("name", .string(name))) }
        return facts
    }

    /// The options for the description.
    var optionValues: [(String, JSONValue)] {
        let common = options.common
        return [
            ("command", .string("run")), ("peer", options.peer.first.map { .string("\($0)") } ?? .null),
            ("port", .integer(Int64(common.port))),
            ("transport", .string(common.transport.rawValue)), ("stamps", .string(common.stamps.rawValue)),
            ("interval_ns", .integer(options.intervalNanoseconds)),
            ("count", options.probes.map(JSONValue.unsigned) ?? .null),
            ("size", options.size.map { .integer(Int64($0)) } ?? .null), ("dscp", .integer(Int64(options.dscp))),
            ("ttl", .integer(Int64(options.ttl))), ("timeout_ns", .integer(options.timeout.nanoseconds)),
            ("log_reflected", .bool(options.logReflected)),
            ("psample", options.psample.map { .integer(Int64($0)) } ?? .null),
        ] + common.ethernetValues + [
            ("priority", options.priority.map { .integer(Int64($0)) } ?? .null),
            ("schedule", .string("\(options.schedule)")), ("no_reflect", .bool(options.noReflect)),
            ("source_port", options.sourcePort.map { .integer(Int64($0)) } ?? .null),
        ]
    }
}
