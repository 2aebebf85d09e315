import FastAFPacket
import LinuxKernel
import Netlink

/// The verdict on a capability. It is proven only if it was observed to work.
enum Verdict: Hashable, Sendable {
    case proven(Int, of: Int)
    /// Tried without success, with a reason if one is known.
    case failed(of: Int, String? = nil)
    case notAdvertised
    case notTried(String)

    var isProven: Bool { if case .proven = self { true } else { false } }
    var hasFailed: Bool { if case .failed = self { true } else { false } }
}

/// A row of the table: what the interface advertises of a capability, and the result of the trial.
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
        case .identifiers: host.acceptsIdentifiers ? "set by the sender" : "counted by the kernel"
        case .launchTime:
            queueing.contains { Self.launchers.contains($0.kind) } ? "by \(queueingText)" : "no: \(queueingText)"
        default: offers(capability) ? "yes" : "no"
        }
    }

    /// Queueing disciplines that honour launch times. Source: tc-etf(8), tc-fq(8), tc-taprio(8).
    static let launchers: Set<String> = ["etf", "fq", "taprio"]

    /// The kind of the root queueing discipline, and the kinds of its children if it has any.
    var queueingText: String {
        guard let root = queueing.first(where: { $0.parent == QueueingDiscipline.root }) else { return "unknown" }
        var kinds: [String] = []
        for discipline in queueing
        where discipline.parent != QueueingDiscipline.root && discipline.parent != QueueingDiscipline.ingress
            && !kinds.contains(discipline.kind)
        {
            kinds.append(discipline.kind)
        }
        return kinds.isEmpty ? root.kind : "\(root.kind) (\(kinds.joined(separator: ", ")))"
    }

    /// Returns whether the driver advertises the capability.
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
            let all = trial.matchedStamps + trial.unmatchedStamps
            if all == 0 { return .notTried("no timestamp arrived") }
            return trial.unmatchedStamps == 0
                ? .proven(all, of: all) : .failed(of: all, "\(trial.unmatchedStamps) match no frame")
        case .launchTime: return launchVerdict(trial)
        }
    }

    // MARK: - Sending

    private func sent(_ trial: FrameTrial, _ stamped: Int, of frames: Int) -> Verdict {
        if stamped > 0 { return .proven(stamped, of: frames) }
        if frames == 0 || trial.isInterrupted || trial.failure != nil { return .notTried(ending(trial)) }
        return .failed(of: frames)
    }

    /// The reason why missing timestamps prove nothing after a trial that ended early.
    private func ending(_ trial: FrameTrial) -> String {
        if let failure = trial.failure { return "\(failure)" }
        return trial.isInterrupted ? Doctor.interrupted : "no frame could be sent"
    }

    private func othersSetting(_ configuration: HardwareStampingConfiguration) -> String {
        "another process set the NIC to \(configuration.text)"
    }

    private func transmitObstacle(_ trial: FrameTrial) -> Verdict? {
        switch trial.stamping {
        case .unavailable, .switchedOn: nil
        case .refused(let error): .notTried("\(error)")
        case .borrowed(let current):
            current.transmitType == 0 ? .notTried(othersSetting(current)) : nil
        }
    }

    // MARK: - Receiving

    /// HWTSTAMP_FILTER_ALL.
    private static let filterAll: Int32 = 1
    /// Filters that timestamp PTP event messages over Ethernet: the filter for all frames, and the PTPv2 filters that
    /// are not limited to UDP.
    private static let filtersOfPTP: Set<Int32> = [filterAll, 9, 10, 11, 12, 13, 14]

    /// The verdict if the NIC's receive filter is none of `filters`; `nil` if it is one of them.
    private func receiveObstacle(_ trial: FrameTrial, _ filters: Set<Int32>) -> Verdict? {
        switch trial.stamping {
        case .unavailable: .notTried("hardware timestamping could not be switched on")
        case .refused(let error): .notTried("\(error)")
        case .borrowed(let now):
            filters.contains(now.receiveFilter) ? nil : .notTried(othersSetting(now))
        case .switchedOn(let now, previous: _):
            filters.contains(now.receiveFilter)
                ? nil : .failed(of: 0, "the driver set the filter \(StampingNames.filter(now.receiveFilter))")
        }
    }

    private func received(_ trial: FrameTrial, _ stamped: Int, of frames: Int) -> Verdict {
        if stamped > 0 { return .proven(stamped, of: frames) }
        if frames > 0 { return .failed(of: frames) }
        if trial.isInterrupted || trial.failure != nil { return .notTried(ending(trial)) }
        return .notTried(trial.peer == nil ? "nothing arrived within 1 s; use --peer" : "the peer did not answer")
    }

    private func receivedPTP(_ trial: FrameTrial) -> Verdict {
        if let obstacle = receiveObstacle(trial, Self.filtersOfPTP) { return obstacle }
        let received = trial.receivedPTP
        if received.frames == 0, !trial.isInterrupted, trial.failure == nil {
            return .notTried("no PTP frame arrived within 1 s")
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
            // etf hands frames to the driver earlier than their launch time, by its `delta`.
            let earliest = queueing.contains { $0.kind == "etf" } ? -LaunchTrial.lead / 2 : 0
            if after < earliest { return .failed(of: 1, "ignored by \(queueingText)") }
            if trial.longestQueueing >= LaunchTrial.lead {
                return .notTried("\(queueingText) delays frames without a launch time as long")
            }
            return .proven(1, of: 1)
        case .dropped(let reason):
            return .failed(
                of: 1,
                reason == .missed
                    ? "\(queueingText) missed the launch time" : "\(queueingText) rejected the launch time")
        case .unstamped:
            return offers(.softwareTransmit)
                ? .failed(of: 1, "the frame's driver transmit timestamp never arrived")
                : .notTried("it needs driver transmit timestamps")
        }
    }
}
