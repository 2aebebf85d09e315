import LinuxKernel
import Report
import STAMPSession

extension PairedRun {
    /// The summary of one session. With a single peer it also has what belongs to the endpoint.
    func summary(
        _ outcome: Outcome, _ sessions: RunSessions, _ index: Int, _ receipts: ReceiveStamping, _ flows: FlowHistory?
    ) -> RunSummary {
        let endpoint = outcome.endpoint
        let entry = sessions.entries[index]
        let sender = endpoint.senders[index]
        let recorded = outcome.recorder.sessions[index]
        let isOnly = !sessions.hasSeveralPeers
        var counters: [(name: String, value: UInt64)] = [
            ("sent", sender.totals.sent), ("received", sender.totals.received),
            ("uncounted_probes", sender.uncountedProbes), ("too_late", sender.repliesAfterWriteOff),
            ("skipped_deadlines", sender.skippedDeadlines), ("peer_restarts", sender.peerRestarts),
            ("unknown_stamps", sender.unknownStamps &+ (isOnly ? endpoint.unknownStamps : 0)),
        ]
        var rejected = isOnly ? endpoint.rejectedReplies : RejectedPackets()
        rejected.add(sender.rejected)
        if isOnly {
            counters += endpoint.threadCounters + rejected.named + endpoint.namedReflectorCounters
        } else {
            counters += rejected.named
        }
        var summary = RunSummary(
            session: sessionText(entry.session), peer: "\(entry.peer.peer)", interface: interface.name,
            duration: sender.duration, statistics: recorded.statistics,
            relative: sender.relation.error == nil, clockNote: sender.relation.note,
            clockSteps: sender.clockSteps,
            probes: RunSummary.ProbeCounts(
                sent: sender.totals.sent, notSent: sender.totals.notSent, skipped: sender.skippedDeadlines),
            totals: sender.totals.sequence, outages: outages(sender),
            ledger: sender.ledger, replyLedger: isOnly ? endpoint.reflector.ledger : nil,
            stampNotes: (isOnly ? stampNotes(endpoint, receipts) : []) + delayNotes(recorded.statistics),
            socket: isOnly ? outcome.recorder.socket : nil,
            sendLateness: recorded.lateness, sendErrors: sender.refusals, counters: counters)
        summary.peerName = entry.peer.name
        summary.peerNumber = entry.peer.number
        if isOnly {
            summary.samples = outcome.recorder.samples
            summary.flows = flows
        }
        return summary
    }

    /// The facts that belong to all sessions of a run with several peers.
    func endpointSummary(
        _ outcome: Outcome, _ receipts: ReceiveStamping, _ flows: FlowHistory?
    ) -> EndpointSummary {
        let endpoint = outcome.endpoint
        return EndpointSummary(
            interface: interface.name, socket: outcome.recorder.socket, replyLedger: endpoint.reflector.ledger,
            stampNotes: stampNotes(endpoint, receipts), flows: flows,
            counters: [("unknown_stamps", endpoint.unknownStamps)] + endpoint.threadCounters
                + endpoint.rejectedReplies.named + endpoint.namedReflectorCounters)
    }

    /// Notes on missing hardware timestamps of all sessions and of the reflector.
    private func stampNotes(_ endpoint: EndpointResult, _ receipts: ReceiveStamping) -> [String] {
        var sent = endpoint.reflector.ledger
        for sender in endpoint.senders { sent.add(sender.ledger) }
        var counts = endpoint.replyStamping
        counts.add(endpoint.probeStamping)
        return StampNotes.notes(on: interface.name, sent, receipts, counts)
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
    /// The counters of the endpoint's thread.
    fileprivate var threadCounters: [(name: String, value: UInt64)] {
        [("records_dropped", eventsDropped), ("packet_thread_cpu_ns", UInt64(clamping: threadCPU))]
    }

    /// The counters of the reflector, with names that differ from those of the sessions.
    fileprivate var namedReflectorCounters: [(name: String, value: UInt64)] {
        reflectorCounters.map { (name: "reflector_" + $0.name, value: $0.value) }
    }

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
