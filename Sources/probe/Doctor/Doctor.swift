import FastAFPacket
import LinuxKernel

/// Examines interfaces one after the other, since interfaces that share a NIC also share its timestamping
/// configuration.
struct Doctor {
    let sources: DoctorSources
    let capabilities: Set<Host.Capability>
    let peer: FrameTrialRun.Peer?
    let stop: StopSignal

    func examine(_ interface: Interface) -> InterfaceFacts {
        let capabilities = Result { () throws(SystemError) in try sources.capabilities(interface) }
        let queueing = sources.queueing(interface)
        let before = try? sources.statistics(interface)
        var facts = InterfaceFacts(
            name: interface.name, macAddress: interface.macAddress, mtu: interface.mtu, isUp: interface.isUp,
            hasCarrier: sources.hasCarrier(interface) ?? interface.isUp,
            driver: Result { () throws(SystemError) in try sources.driver(interface) },
            rings: Result { () throws(SystemError) in try sources.rings(interface) },
            capabilities: capabilities,
            stamping: Result { () throws(SystemError) in try sources.stamping(interface) },
            queueing: queueing, missed: [], clock: .none, frames: .notTried(""), launch: .notTried(""))

        var watch: ClockWatch?
        if case .success(let found) = capabilities, let index = found.clockIndex {
            watch = ClockWatch(index: index, sources.openClock)
        }
        watch?.read()
        if let reason = obstacle(interface, facts) {
            facts.frames = .notTried(reason)
            facts.launch = .notTried(reason)
        } else {
            facts.frames = .made(frames(interface))
            facts.launch = launch(interface, facts)
        }
        if let remaining = watch?.remaining, remaining > 0 { stop.wait(remaining) }
        watch?.read()
        if let watch { facts.clock = watch.observation }
        facts.missed = missed(interface, since: before)
        return facts
    }

    /// The reason why nothing can be sent; `nil` if frames can be sent.
    private func obstacle(_ interface: Interface, _ facts: InterfaceFacts) -> String? {
        if stop.isRaised { return Self.interrupted }
        if !interface.isEthernet { return "it has no Ethernet header" }
        if !interface.isUp { return "it is down" }
        if !facts.hasCarrier { return "it has no carrier" }
        if !capabilities.contains(.rawSockets) { return "CAP_NET_RAW is missing" }
        return nil
    }

    private func launch(_ interface: Interface, _ facts: InterfaceFacts) -> Attempt<LaunchTrial> {
        if stop.isRaised { return .notTried(Self.interrupted) }
        if let failure = facts.frames.outcome?.failure { return .notTried("\(failure)") }
        let clock = LaunchTrial.clock(for: facts.queueing)
        do throws(SystemError) {
            let trial = try sources.launch(interface, clock, stop)
            // After an interruption, a missing timestamp proves nothing.
            return stop.isRaised && trial.outcome == .unstamped ? .notTried(Self.interrupted) : .made(trial)
        } catch {
            return .notTried("\(error)")
        }
    }

    private func frames(_ interface: Interface) -> FrameTrial {
        do throws(SystemError) {
            return try sources.frames(interface, peer, stop)
        } catch {
            var trial = FrameTrial()
            trial.failure = error
            return trial
        }
    }

    private func missed(
        _ interface: Interface, since before: DriverStatistics?
    ) -> [InterfaceFacts.MissedStamps] {
        guard let before, let after = try? sources.statistics(interface) else { return [] }
        let meanwhile = after.counted(since: before)
        return after.missedStamps.map {
            InterfaceFacts.MissedStamps(name: $0.name, total: $0.value, meanwhile: meanwhile[$0.name] ?? 0)
        }
    }

    static let interrupted = "interrupted"
}
