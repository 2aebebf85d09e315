import FastAFPacket
import LinuxKernel
import Netlink

/// What is known of a capability: nothing is said to work that was not seen to.
enum Verdict: Hashable, Sendable {
    case proven(Int, of: Int)
    /// Tried without success; with a reason, where there is one.
    case didNotCome(of: Int, String? = nil)
    case notAdvertised
    case notTried(String)

    var isProven: Bool { if case .proven = self { true } else { false } }
    var isMissing: Bool { if case .didNotCome = self { true } else { false } }
}

/// A capability: what the interface says of it beside what came of trying.
struct CapabilityRow: Hashable, Sendable {
    enum Capability: String, Hashable, Sendable, CaseIterable {
        case sched, softwareTransmit, hardwareTransmit, hardwareTransmitPTP, softwareReceive, hardwareReceive
        case hardwareReceivePTP, identifiers, launchTime
    }

    var capability: Capability
    var advertised: String
    var verdict: Verdict
}

extension InterfaceFacts {
    typealias Capability = CapabilityRow.Capability

    /// The table of capabilities, in a fixed order.
    func rows(_ host: HostFacts) -> [CapabilityRow] {
        Capability.allCases.map {
            CapabilityRow(capability: $0, advertised: advertised($0, host), verdict: verdict($0))
        }
    }

    private func advertised(_ capability: Capability, _ host: HostFacts) -> String {
        switch capability {
        case .sched: "by the kernel"
        case .identifiers: host.takesIdentifiers ? "given with each send" : "counted by the kernel"
        case .launchTime:
            queueing.contains { Self.launchers.contains($0.kind) } ? "by \(queueingText)" : "no: \(queueingText)"
        default: offers(capability) ? "yes" : "no"
        }
    }

    /// Queueing disciplines that keep launch times. Source: tc-etf(8), tc-fq(8), tc-taprio(8).
    static let launchers: Set<String> = ["etf", "fq", "taprio"]

    /// The root discipline's kind, and those of its classes where it only divides.
    var queueingText: String {
        guard let root = queueing.first(where: { $0.parent == QueueingDiscipline.root }) else { return "unknown" }
        var kinds: [String] = []
        for discipline in queueing
        where discipline.parent != QueueingDiscipline.root && discipline.parent != QueueingDiscipline.ingress
            && !kinds.contains(discipline.kind)
        {
            kinds.append(discipline.kind)
        }
        return kinds.isEmpty ? root.kind : "\(root.kind) of \(kinds.joined(separator: ", "))"
    }

    /// Whether the driver says that it has it.
    func offers(_ capability: Capability) -> Bool {
        guard case .success(let found) = capabilities else { return capability == .sched }
        switch capability {
        case .sched, .identifiers, .launchTime: return true
        case .softwareTransmit: return found.transmitStamps.contains(.software)
        case .hardwareTransmit, .hardwareTransmitPTP: return found.transmitStamps.contains(.hardware)
        case .softwareReceive: return found.flags & Self.softwareReceiveFlag != 0
        case .hardwareReceive: return found.stampsAllReceived
        case .hardwareReceivePTP: return found.stampsReceivedPTP
        }
    }

    /// SOF_TIMESTAMPING_RX_SOFTWARE.
    private static let softwareReceiveFlag: UInt32 = 1 << 3

    func verdict(_ capability: Capability) -> Verdict {
        if !offers(capability) { return .notAdvertised }
        let trial: FrameTrial
        switch frames {
        case .notTried(let reason): return .notTried(reason)
        case .made(let made): trial = made
        }
        switch capability {
        case .sched:
            return sent(trial, trial.ordinary.sched + trial.ptp.sched, of: trial.ordinary.frames + trial.ptp.frames)
        case .softwareTransmit:
            return sent(
                trial, trial.ordinary.software + trial.ptp.software, of: trial.ordinary.frames + trial.ptp.frames)
        case .hardwareTransmit:
            return transmitObstacle(trial) ?? sent(trial, trial.ordinary.hardware, of: trial.ordinary.frames)
        case .hardwareTransmitPTP:
            return transmitObstacle(trial) ?? sent(trial, trial.ptp.hardware, of: trial.ptp.frames)
        case .softwareReceive:
            let (ordinary, ptp) = (trial.receivedOrdinary, trial.receivedPTP)
            return received(trial, ordinary.software + ptp.software, of: ordinary.frames + ptp.frames)
        case .hardwareReceive:
            return receiveObstacle(trial, [Self.filterAll])
                ?? received(trial, trial.receivedOrdinary.hardware, of: trial.receivedOrdinary.frames)
        case .hardwareReceivePTP: return receivedPTP(trial)
        case .identifiers:
            let all = trial.localStamps + trial.strayStamps
            if all == 0 { return .notTried("no timestamp came") }
            return trial.strayStamps == 0
                ? .proven(all, of: all) : .didNotCome(of: all, "\(trial.strayStamps) had no frame of ours")
        case .launchTime: return launchVerdict(trial)
        }
    }

    // MARK: - Sending

    private func sent(_ trial: FrameTrial, _ stamped: Int, of frames: Int) -> Verdict {
        if stamped > 0 { return .proven(stamped, of: frames) }
        if frames == 0 || trial.isInterrupted || trial.failure != nil { return .notTried(ending(trial)) }
        return .didNotCome(of: frames)
    }

    /// Why a trial that ended early proves nothing by what did not come.
    private func ending(_ trial: FrameTrial) -> String {
        if let failure = trial.failure { return "\(failure)" }
        return trial.isInterrupted ? Doctor.interrupted : "no frame could be sent"
    }

    private func transmitObstacle(_ trial: FrameTrial) -> Verdict? {
        switch trial.stamping {
        case .unavailable, .switchedOn: nil
        case .refused(let error): .notTried("\(error)")
        case .borrowed(let current):
            current.transmitType == 0 ? .notTried("the NIC's timestamping was set by others: \(current.text)") : nil
        }
    }

    // MARK: - Receiving

    /// HWTSTAMP_FILTER_ALL.
    private static let filterAll: Int32 = 1
    /// Filters that let PTP event messages over Ethernet have timestamps: all of them, and PTP's of version 2 that are not for
    /// UDP alone.
    private static let filtersOfPTP: Set<Int32> = [filterAll, 9, 10, 11, 12, 13, 14]

    /// Why the NIC's setting leaves such frames without timestamps.
    private func receiveObstacle(_ trial: FrameTrial, _ filters: Set<Int32>) -> Verdict? {
        switch trial.stamping {
        case .unavailable: .notTried("the NIC's timestamping could not be switched on")
        case .refused(let error): .notTried("\(error)")
        case .borrowed(let now):
            filters.contains(now.receiveFilter)
                ? nil : .notTried("the NIC's timestamping was set by others: \(now.text)")
        case .switchedOn(let now, previous: _):
            filters.contains(now.receiveFilter)
                ? nil : .didNotCome(of: 0, "the driver granted the filter \(StampingNames.filter(now.receiveFilter))")
        }
    }

    private func received(_ trial: FrameTrial, _ stamped: Int, of frames: Int) -> Verdict {
        if stamped > 0 { return .proven(stamped, of: frames) }
        if frames > 0 { return .didNotCome(of: frames) }
        if trial.isInterrupted || trial.failure != nil { return .notTried(ending(trial)) }
        return .notTried(trial.peer == nil ? "nothing arrived within a second: give --peer" : "the peer did not answer")
    }

    private func receivedPTP(_ trial: FrameTrial) -> Verdict {
        if let obstacle = receiveObstacle(trial, Self.filtersOfPTP) { return obstacle }
        let received = trial.receivedPTP
        if received.frames == 0, !trial.isInterrupted, trial.failure == nil {
            return .notTried("no PTP frame arrived within a second")
        }
        return self.received(trial, received.hardware, of: received.frames)
    }

    // MARK: - Launch times

    private func launchVerdict(_ trial: FrameTrial) -> Verdict {
        let outcome: LaunchTrial.Outcome
        switch launch {
        case .notTried(let reason): return .notTried(reason)
        case .made(let made): outcome = made.outcome
        }
        switch outcome {
        case .left(let after):
            // etf hands frames to the driver its `delta` before their time.
            let kept = queueing.contains { $0.kind == "etf" } ? -LaunchTrial.lead / 2 : 0
            if after < kept { return .didNotCome(of: 1, "ignored by this queueing discipline (\(queueingText))") }
            if trial.longestQueueing >= LaunchTrial.lead {
                return .notTried("frames without a launch time wait as long in \(queueingText)")
            }
            return .proven(1, of: 1)
        case .dropped(let reason):
            return .didNotCome(
                of: 1, reason == .missed ? "\(queueingText) missed the time" : "\(queueingText) refused the time")
        case .unstamped:
            return offers(.softwareTransmit)
                ? .didNotCome(of: 1, "the frame's timestamp did not come")
                : .notTried("it needs software transmit timestamps")
        }
    }
}
