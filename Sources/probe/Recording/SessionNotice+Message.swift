import LinuxKernel
import Logging
import NetworkAddresses
import Report

extension SessionNotice {
    /// How a notice reads, and how much it matters.
    var message: (level: Logger.Level, text: String) {
        switch self {
        case .waitingForPeer(let seconds):
            (
                .notice,
                "No answer yet. Is `probe run` or `probe reflect` up on the peer, on the same port? Waiting up to "
                    + "\(seconds) s."
            )
        case .peerAnswered(isPaired: true):
            (.info, "The peer answers, and tells all its timestamps.")
        case .peerAnswered(isPaired: false):
            (.notice, "The peer answers as a standard STAMP reflector: its timestamps are what the standard carries.")
        case .peerSilent:
            (.warning, "The peer does not answer. Measuring all the same; what comes back will be counted.")
        case .peerRestarted:
            (.notice, "The peer's reflector has started anew; losses are counted from here on.")
        case .nextHopChanged(let mac):
            (.notice, "The next hop's address is now \(MACAddress(rawValue: mac)).")
        case .sendFailing(code: ErrorCode.timedOut):
            (.warning, "The send buffer is full: the interface is slower than the probes. Refused probes are counted.")
        case .sendFailing(let code):
            (.warning, "\(SystemError("send", code: code)). Going on; the refused probes are counted.")
        case .sendWorksAgain:
            (.notice, "Sending works again.")
        case .receiveFailed(let code):
            (.warning, "\(SystemError("receive", code: code)). Going on when the interface is up again.")
        case .clocksDisagree:
            (
                .warning,
                "Both hosts show the same boot id, but their delays can't come from one clock (cloned machines?): "
                    + "one-way delays are relative."
            )
        case .clockSet(let step):
            (.warning, "\(step.sentence); delays before and after are kept apart.")
        case .fellBehind:
            (.warning, "This host was held up by more than 100 ms; the deadlines in that time are left out.")
        }
    }
}
