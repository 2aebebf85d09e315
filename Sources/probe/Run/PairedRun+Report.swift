import FastAFPacket
import Kernel
import Report

extension PairedRun {
    /// Prints the summary, writes histogram and description, and decides how the command ends.
    func report(_ outcome: Outcome, _ description: inout RunDescription) throws(ProbeError) {
        let common = options.common
        let summary = summary(outcome)
        let printing = Result { () throws(ProbeError) in
            try RunOutputs.print(common.output == .json ? summary.json() + "\n" : summary.text())
        }
        if let path = options.histogram {
            try RunOutputs.writeHistogram(path, session: session, outcome.recorder.statistics)
        }
        description.set("duration_ns", .integer(outcome.sender.duration))
        description.set("relative", .bool(summary.relative))
        description.set("clock_note", .string(summary.clockNote))
        description.set(peers: [peerFacts(outcome)])
        if let path = common.log { try RunOutputs.write(description, besideLog: path, replacing: true) }
        // Whoever can't read the summary shall still have the files.
        try printing.get()
        if let error = outcome.recorder.logFailure { throw .file("\(common.log ?? "log"): \(error)") }
        if let error = outcome.sender.failure ?? outcome.reflector.failure {
            if error.code == ErrorCode.noSuchAddress || error.code == ErrorCode.noDevice {
                throw .noInterface("\(interface.name) went away while it was measured on.")
            }
            throw .system(error)
        }
        if outcome.sender.totals.received == 0, outcome.sender.totals.sent > 0 || !outcome.sender.hasAnswered {
            throw .noReply(
                "No reply came from \(options.peer). Is `probe run` or `probe reflect` up there, on port "
                    + "\(common.port), and does a firewall let UDP to it pass?")
        }
    }

    private func summary(_ outcome: Outcome) -> RunSummary {
        let sender = outcome.sender
        let reflector = outcome.reflector
        let counters: [(name: String, value: UInt64)] =
            [
                ("sent", sender.totals.sent), ("received", sender.totals.received),
                ("uncounted_probes", sender.uncountedProbes), ("too_late", sender.tooLate),
                ("skipped_deadlines", sender.skippedDeadlines), ("peer_restarts", sender.peerRestarts),
                ("unknown_stamps", UInt64(clamping: sender.account.unknownStamps)),
                ("records_dropped", sender.eventsDropped),
                ("packet_thread_cpu_ns", UInt64(clamping: sender.threadCPU)),
            ] + sender.refusals.named + reflector.named.map { (name: "reflector_" + $0.name, value: $0.value) }
        return RunSummary(
            session: sessionText(session), peer: "\(options.peer)", interface: interface.name,
            duration: sender.duration, statistics: outcome.recorder.statistics,
            relative: sender.relation.error == nil, clockNote: sender.relation.note, totals: sender.sequenceTotals,
            ledger: RunOutputs.account(sender.account), socket: RunOutputs.socket(sender.totals),
            sendLateness: outcome.recorder.lateness,
            sendErrors: sender.sendErrors, counters: counters)
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

    /// The options as the description has them.
    var optionValues: [(String, JSONValue)] {
        let common = options.common
        return [
            ("command", .string("run")), ("peer", .string("\(options.peer)")), ("port", .integer(Int64(common.port))),
            ("transport", .string(common.transport.rawValue)), ("interval_ns", .integer(options.spacing)),
            ("count", options.probes.map(JSONValue.unsigned) ?? .null),
            ("size", options.size.map { .integer(Int64($0)) } ?? .null), ("dscp", .integer(Int64(options.dscp))),
            ("ttl", .integer(Int64(options.ttl))), ("timeout_ns", .integer(options.timeout.nanoseconds)),
            ("log_reflected", .bool(options.logReflected)),
        ]
    }
}
