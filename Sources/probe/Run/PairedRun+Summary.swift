import LinuxKernel
import Report
import STAMPSession

extension PairedRun {
    /// The summary of one session. What belongs to the whole endpoint is in the first one.
    func summary(
        _ outcome: Outcome, _ entry: RunSessions.Entry, _ index: Int, _ receipts: ReceiveStamping,
        _ flows: FlowHistory?
    ) -> RunSummary {
        let endpoint = outcome.endpoint
        let sender = endpoint.senders[index]
        let recorded = outcome.recorder.sessions[index]
        let isFirst = index == 0
        var counters: [(name: String, value: UInt64)] = [
            ("sent", sender.totals.sent), ("received", sender.totals.received),
            ("uncounted_probes", sender.uncountedProbes), ("too_late", sender.repliesAfterWriteOff),
            ("skipped_deadlines", sender.skippedDeadlines), ("peer_restarts", sender.peerRestarts),
            ("unknown_stamps", sender.unknownStamps &+ (isFirst ? endpoint.unknownStamps : 0)),
        ]
        var rejected = isFirst ? endpoint.rejectedReplies : RejectedPackets()
        rejected.add(sender.rejected)
        if isFirst {
            counters += [
                ("records_dropped", endpoint.eventsDropped),
                ("packet_thread_cpu_ns", UInt64(clamping: endpoint.threadCPU)),
            ]
        }
        counters += rejected.named
        if isFirst { counters += endpoint.reflectorCounters.map { (name: "reflector_" + $0.name, value: $0.value) } }
        var sent = sender.ledger
        sent.add(endpoint.reflector.ledger)
        var counts = endpoint.replyStamping
        counts.add(endpoint.probeStamping)
        var summary = RunSummary(
            session: sessionText(entry.session), peer: "\(entry.peer)", interface: interface.name,
            duration: sender.duration, statistics: recorded.statistics,
            relative: sender.relation.error == nil, clockNote: sender.relation.note,
            clockSteps: sender.clockSteps,
            probes: RunSummary.ProbeCounts(
                sent: sender.totals.sent, notSent: sender.totals.notSent, skipped: sender.skippedDeadlines),
            totals: sender.totals.sequence, outages: outages(sender),
            ledger: sender.ledger, replyLedger: isFirst ? endpoint.reflector.ledger : nil,
            stampNotes: (isFirst ? StampNotes.notes(on: interface.name, sent, receipts, counts) : [])
                + delayNotes(recorded.statistics),
            socket: isFirst ? outcome.recorder.socket : RunSummary.SocketCounters(),
            sendLateness: recorded.lateness, sendErrors: sender.refusals, counters: counters)
        if isFirst {
            summary.samples = outcome.recorder.samples
            summary.flows = flows
        }
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
    private func delayNotes(_ statistics: SessionStatistics) -> [String] {
        guard options.common.stamps.usesHardwareOnly, statistics.forward.counts.received > 0,
            (statistics.forward.epochs + statistics.reverse.epochs).allSatisfy(\.delay.isEmpty)
        else { return [] }
        return [
            "No packet has a delay: `--stamps hardware` needs hardware timestamps of both hosts, and no packet has "
                + "both. The columns tx_missing and rx_missing give the reasons. The peer needs `--stamps hardware` or "
                + "`auto` too."
        ]
    }
}

extension EndpointResult {
    /// The counters of the reflector, and of the packets that never reached it.
    var reflectorCounters: [(name: String, value: UInt64)] {
        var rejected = rejectedProbes
        rejected.short &+= reflector.short
        rejected.stray &+= reflector.stray
        return [("probes", reflector.totals.received), ("replies", reflector.totals.sent)] + rejected.named + [
            ("loops_refused", reflector.loopsRejected), ("not_allowed", reflector.notAllowed),
            ("sessions", reflector.sessionsOpened), ("sessions_refused", reflector.sessionsRejected),
            ("duplicates", reflector.duplicates), ("records_dropped", eventsDropped),
            ("packet_thread_cpu_ns", UInt64(clamping: threadCPU)),
        ]
    }
}
