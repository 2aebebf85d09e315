import FastAFPacket
import LinuxKernel
import Report

extension PairedRun {
    /// Prints the summary, writes histogram and description, and throws the error that determines the exit code.
    func report(
        _ outcome: Outcome, _ nic: NIC, _ receipts: ReceiveStamping, _ flows: FlowHistory?,
        _ description: inout RunDescription
    ) throws(ProbeError) {
        let common = options.common
        var summary = summary(outcome, receipts)
        summary.flows = flows
        let printing = Result { () throws(ProbeError) in
            try RunOutputs.print(
                common.output == .json ? summary.json() + "\n" : summary.text(width: terminalWidth() ?? 80))
        }
        if let path = options.histogram {
            try RunOutputs.writeHistogram(
                path, session: session, outcome.recorder.statistics, outcome.recorder.samples)
        }
        description.set("duration_ns", .integer(outcome.sender.duration))
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        description.set("relative", .bool(summary.relative))
        description.set("clock_note", .string(summary.clockNote))
        if let steps = summary.clockSteps.jsonValue() { description.set("clock_steps", steps) }
        if let flows { description.set("flows", flows.jsonValue) }
        description.set(peers: [peerFacts(outcome)])
        if let path = common.log { try RunOutputs.write(description, besideLog: path, replacing: true) }
        // The files are written even if the summary cannot be printed.
        try printing.get()
        if let error = outcome.recorder.logFailure { throw .file("\(common.log ?? "log"): \(error)") }
        if let error = outcome.sender.failure ?? outcome.reflector.failure {
            if error.code == ErrorCode.noSuchAddress || error.code == ErrorCode.noDevice {
                throw .noInterface(
                    "\(interface.name) went away during the measurement. Check the interface, and start again.")
            }
            throw .system(error)
        }
        let sender = outcome.sender
        if sender.totals.received == 0, summary.probes.due > 0 || !sender.hasAnswered,
            !sender.hasAnswered || summary.outages.open == nil
        {
            throw .noReply("No reply came from \(options.peer). \(adviceWithoutReply)")
        }
        if let last = summary.outages.open {
            throw .peerStopped(
                "Replies from \(options.peer) stopped at \(clockText(last.start)): \(last.probes) probes in "
                    + "\(roundedDurationText(last.duration)) went unanswered, up to the end of the run. "
                    + (last.cause.map { "Cause: \($0)." } ?? "Check the peer and the path to it."))
        }
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

    private func summary(_ outcome: Outcome, _ receipts: ReceiveStamping) -> RunSummary {
        let sender = outcome.sender
        let reflector = outcome.reflector
        let counters: [(name: String, value: UInt64)] =
            [
                ("sent", sender.totals.sent), ("received", sender.totals.received),
                ("uncounted_probes", sender.uncountedProbes), ("too_late", sender.repliesAfterWriteOff),
                ("skipped_deadlines", sender.skippedDeadlines), ("peer_restarts", sender.peerRestarts),
                ("unknown_stamps", UInt64(clamping: sender.account.unknownStamps)),
                ("records_dropped", sender.eventsDropped),
                ("packet_thread_cpu_ns", UInt64(clamping: sender.threadCPU)),
            ] + sender.rejected.named + reflector.named.map { (name: "reflector_" + $0.name, value: $0.value) }
        let probes = RunOutputs.account(sender.account, sender.missed)
        let replies = RunOutputs.account(reflector.account, reflector.missed)
        var sent = probes
        sent.add(replies)
        var counts = sender.receiveStamping
        counts.add(reflector.receiveStamping)
        var summary = RunSummary(
            session: sessionText(session), peer: "\(options.peer)", interface: interface.name,
            duration: sender.duration, statistics: outcome.recorder.statistics,
            relative: sender.relation.error == nil, clockNote: sender.relation.note,
            clockSteps: sender.clockSteps,
            probes: RunSummary.ProbeCounts(
                sent: sender.totals.sent, notSent: sender.notSent, skipped: sender.skippedDeadlines),
            totals: sender.sequenceTotals, outages: outages(sender),
            ledger: probes, replyLedger: replies,
            stampNotes: StampNotes.notes(on: interface.name, sent, receipts, counts) + delayNotes(outcome),
            socket: RunOutputs.socket(sender.totals),
            sendLateness: outcome.recorder.lateness,
            sendErrors: sender.sendErrors, counters: counters)
        summary.samples = outcome.recorder.samples
        return summary
    }

    /// The outages with their causes, where known.
    private func outages(_ sender: SenderResult) -> Outages {
        var outages = sender.outages
        outages.explain { outage in
            if let code = outage.sendError { return "the kernel refused to send: \(errorText(code))" }
            let next = outage.firstSequence &+ UInt32(truncatingIfNeeded: outage.probes)
            if sender.firstAnsweredAfterRestart.contains(next) { return "the peer's reflector restarted" }
            return nil
        }
        return outages
    }

    /// A note if delays are between hardware timestamps and none was measured.
    private func delayNotes(_ outcome: Outcome) -> [String] {
        let statistics = outcome.recorder.statistics
        guard options.common.stamps.usesHardwareOnly, statistics.forward.counts.received > 0,
            (statistics.forward.epochs + statistics.reverse.epochs).allSatisfy(\.delay.isEmpty)
        else { return [] }
        return [
            "No packet has a delay: `--stamps hardware` needs hardware timestamps of both hosts, and no packet has "
                + "both. The columns tx_missing and rx_missing give the reasons. The peer needs `--stamps hardware` or "
                + "`auto` too."
        ]
    }

    private func peerFacts(_ outcome: Outcome) -> [(key: String, value: JSONValue)] {
        let relation = outcome.sender.relation
        return [
            ("address", .string("\(options.peer)")), ("port", .integer(Int64(options.common.port))),
            ("paired", .bool(relation.peerBootHash != nil)),
            ("same_kernel", .bool(relation.isOneClock)),
            ("error_bound_ns", relation.error.map(JSONValue.integer) ?? .null),
        ]
    }

    /// The options for the description.
    var optionValues: [(String, JSONValue)] {
        let common = options.common
        return [
            ("command", .string("run")), ("peer", .string("\(options.peer)")), ("port", .integer(Int64(common.port))),
            ("transport", .string(common.transport.rawValue)), ("stamps", .string(common.stamps.rawValue)),
            ("interval_ns", .integer(options.intervalNanoseconds)),
            ("count", options.probes.map(JSONValue.unsigned) ?? .null),
            ("size", options.size.map { .integer(Int64($0)) } ?? .null), ("dscp", .integer(Int64(options.dscp))),
            ("ttl", .integer(Int64(options.ttl))), ("timeout_ns", .integer(options.timeout.nanoseconds)),
            ("log_reflected", .bool(options.logReflected)),
            ("psample", options.psample.map { .integer(Int64($0)) } ?? .null),
        ] + common.ethernetValues + [("priority", options.priority.map { .integer(Int64($0)) } ?? .null)]
    }
}
