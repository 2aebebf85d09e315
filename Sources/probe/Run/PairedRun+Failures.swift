import Logging
import Report
import STAMPSession

/// The failures of a run's peers.
struct PeerFailures {
    /// The failure of one peer: its message, which names the peer, and its exit code.
    struct Failure {
        var text: String
        var exitCode: Int32

        /// The order of failures, the worst first: no path, then no reply, then replies that stopped.
        fileprivate var rank: Int {
            switch exitCode {
            case 10: 2
            case 2: 1
            default: 0
            }
        }
    }

    /// The failures of the sessions in their order; nil for those that succeeded.
    var sessions: [Failure?] = []
    /// The failures of the peers without a session.
    var unreachable: [Failure] = []

    /// The number of failures that are reported one by one.
    private static let limit = 5

    /// The worst failure's exit code with the messages to report, the last of which is the error's; nil without
    /// failures.
    var result: (messages: [String], error: ProbeError)? {
        let all = unreachable + sessions.compactMap(\.self)
        let sorted = (0...2).flatMap { rank in all.filter { $0.rank == rank } }
        guard let worst = sorted.first else { return nil }
        guard sorted.count > 1 else { return ([], .peerFailed(worst.text, exitCode: worst.exitCode)) }
        let reported = sorted.prefix(Self.limit).map(\.text)
        let others = sorted.count - reported.count
        return (
            reported,
            .peerFailed(
                "\(sorted.count) of \(sessions.count + unreachable.count) peers failed"
                    + (others > 0 ? ", \(others) of them are not listed here." : "."), exitCode: worst.exitCode)
        )
    }
}

extension PairedRun {
    /// The failures of all peers.
    func failures(_ outcome: Outcome, _ sessions: RunSessions, _ summaries: [RunSummary]) -> PeerFailures {
        PeerFailures(
            sessions: sessions.entries.indices.map { index in
                error(outcome.endpoint.senders[index], summaries[index], sessions.entries[index].peer).map {
                    PeerFailures.Failure(text: "\($0)", exitCode: $0.exitCode)
                }
            },
            unreachable: sessions.unreachable.map {
                PeerFailures.Failure(text: "\($0.peer): \($0.error)", exitCode: $0.error.exitCode)
            })
    }

    /// The failure of a session; nil if it succeeded.
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
}
