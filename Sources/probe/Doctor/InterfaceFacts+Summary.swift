extension InterfaceFacts {
    /// The interface in a line: what was proven of hardware and software timestamps.
    var summary: String {
        if case .notTried(let reason) = frames {
            let offered =
                offersHardware ? "hardware timestamps are advertised" : "software timestamps alone are advertised"
            return "nothing was tried: \(reason); \(offered)\(clock == .none ? ", no PHC" : "")"
        }
        let transmit = [verdict(.hardwareTransmit), verdict(.hardwareTransmitPTP)]
        let receive = [verdict(.hardwareReceive), verdict(.hardwareReceivePTP)]
        let verdicts = transmit + receive
        if !offersHardware {
            let software = softwareSummary
            return clock == .none ? "\(software), no PHC" : "\(software), though there is a PHC"
        }
        if !verdicts.contains(where: \.isProven) {
            return verdicts.contains(where: \.isMissing)
                ? "hardware timestamps are advertised and never arrived; \(softwareSummary)"
                : "hardware timestamps are advertised and could not be tried; \(softwareSummary)"
        }
        return "hardware timestamps: " + transmitSummary(transmit) + "; " + receiveSummary(receive)
    }

    private var softwareSummary: String {
        let all: [Capability] = [.sched, .softwareTransmit, .softwareReceive]
        if all.contains(where: { verdict($0).isProven }) { return "software timestamps only" }
        return "no software timestamp came either"
    }

    private func transmitSummary(_ verdicts: [Verdict]) -> String {
        switch (verdicts[0], verdicts[1]) {
        case (.proven, .proven): "transmit any frame"
        case (.proven, _): "transmit ordinary frames"
        case (_, .proven): "transmit PTP frames alone"
        case (.notAdvertised, _): "transmit none"
        case (.didNotCome, _): "transmit advertised and never arrived"
        default: "transmit not tried"
        }
    }

    private func receiveSummary(_ verdicts: [Verdict]) -> String {
        switch (verdicts[0], verdicts[1]) {
        case (.proven, _): "receive any frame"
        case (.notAdvertised, .proven): "receive PTP frames alone"
        case (.notAdvertised, .notAdvertised): "receive none"
        case (.notAdvertised, .didNotCome): "receive PTP frames alone, advertised and never arrived"
        case (.didNotCome, .didNotCome), (.didNotCome, .notTried): "receive advertised and never arrived"
        case (.didNotCome, .proven): "receive PTP frames alone, though any frame is advertised"
        case (.notAdvertised, .notTried): "receive PTP frames alone, not tried"
        case (.notTried, .proven): "receive PTP frames, others not tried"
        default: "receive not tried"
        }
    }
}
