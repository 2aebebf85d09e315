import LinuxKernel
import Logging
import Report
import STAMPSession

extension SessionNotice {
    /// The notice's level and its text.
    var message: (level: Logger.Level, text: String) {
        switch self {
        case .waitingForPeer(let seconds):
            (
                .notice,
                "No answer yet. Is `probe run` or `probe reflect` running on the peer, on the same port? "
                    + "Waiting up to \(seconds) s."
            )
        case .peerAnswered(isPaired: true):
            (.info, "The peer is up and reports all timestamps.")
        case .peerAnswered(isPaired: false):
            (
                .notice,
                "The peer is up as a standard STAMP reflector. It reports only the timestamps that RFC 8762 carries."
            )
        case .peerSilent:
            (.warning, "The peer does not answer. The measurement begins without it. Later replies count.")
        case .peerRestarted:
            (.notice, "The peer's reflector restarted. Its reply numbers count from here.")
        case .sendFailing(code: ErrorCode.tryAgain, let role):
            (
                .warning,
                "The send buffer is full: \(role.packets) are queued faster than the interface sends them. "
                    + "Refused \(role.packets) are counted\(role.rowsNote)."
            )
        case .sendFailing(let code, let role):
            (
                .warning,
                "The kernel refused to send \(role.packet): \(errorText(code)). The \(role.name) continues; refused "
                    + "\(role.packets) are counted\(role.rowsNote)."
            )
        case .sendWorksAgain(let refused, let role):
            (.notice, "Sending \(role.packets) works again, after \(refused) refused.")
        case .noReply(let since, let probes, let suppressed):
            (
                .warning,
                "No reply since \(clockText(since)) (\(counted(probes, "probe")))."
                    + (suppressed > 0 ? " \(suppressed) earlier silences were not reported." : "")
            )
        case .repliesAgain(let time, let after, let probes):
            (
                .notice,
                "Replies again since \(clockText(time)), after \(roundedDurationText(after)) and "
                    + "\(counted(probes, "probe"))."
            )
        case .clocksDisagree:
            (
                .warning,
                "Both hosts report the same boot ID, but their delays cannot come from one clock (cloned machines?). "
                    + "One-way delays are relative."
            )
        case .clockSet(let step):
            (.warning, "\(step.sentence). Delays before and after are counted separately.")
        case .deadlinesSkipped:
            (.warning, "This host was delayed by more than 100 ms. Deadlines in that time are skipped and counted.")
        }
    }
}

extension SessionRole {
    /// The notice that receiving failed with an errno.
    func receiveFailure(_ code: Int32) -> (level: Logger.Level, text: String) {
        (
            .warning, "Receiving \(received) failed: \(errorText(code)). It resumes when the interface is up again."
        )
    }

    fileprivate var name: String { self == .sender ? "session" : "reflector" }
    fileprivate var packet: String { self == .sender ? "a probe" : "a reply" }
    fileprivate var packets: String { self == .sender ? "probes" : "replies" }
    fileprivate var received: String { self == .sender ? "replies" : "probes" }
    fileprivate var rowsNote: String { self == .sender ? " as not sent, not as lost" : "" }
}

/// A number with its noun: "1 probe", "179 probes".
private func counted(_ count: UInt64, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The text of an errno, as in strerror(3).
func errorText(_ code: Int32) -> String { SystemError.text(of: code) }
