import FastAFPacket
import LinuxKernel
import Logging
import Report
import STAMPSession

extension PairedRun {
    /// Prints the summaries, writes histogram and description, and throws the error that determines the exit code.
    func report(
        _ outcome: Outcome, _ plan: EndpointPlan, _ sessions: RunSessions, _ nic: NIC, _ flows: FlowHistory?,
        _ description: inout RunDescription
    ) throws(ProbeError) {
        let common = options.common
        let receipts = plan.sockets[0].receiveStamping
        let summaries = sessions.entries.indices.map { index in
            summary(outcome, sessions, index, receipts, flows)
        }
        let failures = failures(outcome, sessions, summaries)
        let table =
            sessions.hasSeveralPeers
            ? PeerTable(
                summaries.indices.map { index in
                    PeerTable.Session(
                        summary: summaries[index], sourcePort: plan.sessions[index].port,
                        failure: failures.sessions[index]?.text)
                },
                absent: sessions.unreachable.map {
                    PeerTable.Absent(peer: "\($0.peer.peer)", name: $0.peer.name, reason: "\($0.error)")
                }, endpoint: endpointSummary(outcome, receipts, flows)) : nil
        let printing = Result { () throws(ProbeError) in try printAll(summaries, table) }
        if let path = options.histogram {
            let statistics = zip(sessions.entries, outcome.recorder.sessions).map {
                (session: $0.session, statistics: $1.statistics)
            }
            try RunOutputs.writeHistogram(path, statistics, outcome.recorder.samples)
        }
        complete(&description, outcome, plan, sessions, summaries, nic, flows)
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
        guard let (messages, error) = failures.result else { return }
        for message in messages { logger.error("\(message)") }
        throw error
    }

    private func printAll(_ summaries: [RunSummary], _ table: PeerTable?) throws(ProbeError) {
        let isJSON = options.common.output == .json
        let width = terminalWidth() ?? 80
        var parts = summaries.map { isJSON ? $0.json() + "\n" : $0.text(width: width) }
        if let table { parts.append(isJSON ? table.json() + "\n" : table.text(width: width)) }
        try RunOutputs.print(parts.joined(separator: isJSON ? "" : "\n"))
    }

    private func complete(
        _ description: inout RunDescription, _ outcome: Outcome, _ plan: EndpointPlan, _ sessions: RunSessions,
        _ summaries: [RunSummary], _ nic: NIC, _ flows: FlowHistory?
    ) {
        description.set(
            "duration_ns", .integer(outcome.endpoint.senders.map(\.duration).max() ?? 0))
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        if let only = summaries.first, !sessions.hasSeveralPeers {
            for (key, value) in Self.clockFacts(only) { description.set(key, value) }
        }
        if let flows { description.set("flows", flows.jsonValue) }
        description.set(
            peers: peerFacts(sessions, plan, zip(outcome.endpoint.senders, summaries).map { ($0.relation, $1) }))
    }

    /// The facts about the two clocks of a session.
    private static func clockFacts(_ summary: RunSummary) -> [(key: String, value: JSONValue)] {
        [("relative", .bool(summary.relative)), ("clock_note", .string(summary.clockNote))]
            + (summary.clockSteps.jsonValue().map { [("clock_steps", $0)] } ?? [])
    }

    /// The facts about all peers for the description.
    ///
    /// - Parameter results: the results of the sessions in their order; nil before the end of the run.
    func peerFacts(
        _ sessions: RunSessions, _ plan: EndpointPlan, _ results: [(relation: ClockRelation, summary: RunSummary)]?
    ) -> [[(key: String, value: JSONValue)]] {
        let hasSeveral = sessions.hasSeveralPeers
        let measured = sessions.entries.enumerated().map { index, entry in
            var facts = addressFacts(entry.peer)
            if let result = results?[index] {
                let relation = result.relation
                facts += [
                    ("paired", .bool(relation.peerBootHash != nil)), ("same_kernel", .bool(relation.isOneClock)),
                    ("error_bound_ns", relation.error.map(JSONValue.integer) ?? .null),
                ]
                if hasSeveral { facts += Self.clockFacts(result.summary) }
            }
            facts.append(("session", .string(sessionText(entry.session))))
            if hasSeveral { facts.append(("source_port", .integer(Int64(plan.sessions[index].port)))) }
            return facts + nameFact(entry.peer)
        }
        return measured
            + sessions.unreachable.map { peer, error in
                addressFacts(peer) + [("session", .null), ("error", .string("\(error)"))] + nameFact(peer)
            }
    }

    private func addressFacts(_ peer: NamedPeer) -> [(key: String, value: JSONValue)] {
        [("address", .string("\(peer.peer)")), ("port", .integer(Int64(options.common.port)))]
    }

    private func nameFact(_ peer: NamedPeer) -> [(key: String, value: JSONValue)] {
        peer.name.map { [("name", .string($0))] } ?? []
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
