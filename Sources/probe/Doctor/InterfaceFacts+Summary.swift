extension InterfaceFacts {
    /// One line on the interface: the hardware and software timestamps that were proven.
    var summary: String {
        if case .notTried(let reason) = frames {
            let offered =
                offersHardware ? "hardware timestamps advertised" : "only software timestamps advertised"
            return "nothing tried: \(reason); \(offered)\(clock == .none ? ", no PHC" : "")"
        }
        let transmit = [verdict(.hardwareTransmit), verdict(.hardwareTransmitPTP)]
        let receive = [verdict(.hardwareReceive), verdict(.hardwareReceivePTP)]
        let verdicts = transmit + receive
        if !offersHardware {
            let software = softwareSummary
            return clock == .none ? "\(software), no PHC" : "\(software), although there is a PHC"
        }
        if !verdicts.contains(where: \.isProven) {
            return verdicts.contains(where: \.hasFailed)
                ? "hardware timestamps advertised but never arrived; \(softwareSummary)"
                : "hardware timestamps advertised but not tried; \(softwareSummary)"
        }
        return "hardware timestamps: " + transmitSummary(transmit) + "; " + receiveSummary(receive)
    }

    private var softwareSummary: String {
        let all: [Capability] = [.sched, .softwareTransmit, .softwareReceive]
        if all.contains(where: { verdict($0).isProven }) { return "software timestamps only" }
        return "no software timestamps"
    }

    private func transmitSummary(_ verdicts: [Verdict]) -> String {
        switch (verdicts[0], verdicts[1]) {
        case (.proven, .proven): "transmit all frames"
        case (.proven, _): "transmit ordinary frames"
        case (_, .proven): "transmit only PTP frames"
        case (.notAdvertised, _): "transmit none"
        case (.failed, _): "transmit advertised but never arrived"
        default: "transmit not tried"
        }
    }

    private func receiveSummary(_ verdicts: [Verdict]) -> String {
        switch (verdicts[0], verdicts[1]) {
        case (.proven, _): "receive all frames"
        case (.notAdvertised, .proven): "receive only PTP frames"
        case (.notAdvertised, .notAdvertised): "receive none"
        case (.notAdvertised, .failed): "receive advertised for PTP frames but never arrived"
        case (.failed, .failed), (.failed, .notTried): "receive advertised but never arrived"
        case (.failed, .proven): "receive only PTP frames, although all are advertised"
        case (.notAdvertised, .notTried): "receive advertised for PTP frames, not tried"
        case (.notTried, .proven): "receive PTP frames, others not tried"
        default: "receive not tried"
        }
    }
}
