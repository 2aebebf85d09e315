import LinuxKernel
import NetworkAddresses

/// `probe doctor`: examines the interfaces, prints the diagnosis, and restores all settings that it changed.
struct DoctorRun {
    private let options: DoctorCommand
    private let interfaces: [Interface]
    private let host = HostFacts.current()

    init(_ options: DoctorCommand) throws(ProbeError) {
        self.options = options
        let names = options.interfaces
        interfaces = try ProbeError.system { () throws(SystemError) in
            if names.isEmpty { return try Interface.all().filter { $0.isUp && $0.isEthernet && $0.name != "lo" } }
            var found: [Interface] = []
            for name in names where !found.contains(where: { $0.name == name }) {
                found.append(try Interface(named: name))
            }
            return found
        }
        if interfaces.isEmpty {
            throw .noInterface(
                "No Ethernet interface is up. List the interfaces with `ip link`, and bring one up with `ip link set NAME up`."
            )
        }
    }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        try await Stopper.run { stopper in try await run(stopper) }
    }

    private func run(_ stopper: Stopper) async throws {
        let stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        stopper.attach { _ in stop.raise() }
        let path = try pathToPeer()
        defer { if let path, let interface = interfaces.first { path.removeNeighbour(on: interface) } }
        let peer = path.flatMap { path in
            options.peer.map {
                FrameTrialRun.Peer(address: $0, source: path.source, macAddress: path.macAddress)
            }
        }
        let (interfaces, host) = (interfaces, host)
        let facts = try await PacketThread.run(named: "probe-doctor") {
            let doctor = Doctor(sources: .kernel, capabilities: host.capabilities, peer: peer, stop: stop)
            return interfaces.map(doctor.examine)
        }
        let diagnosis = Diagnosis(version: RunOutputs.version, host: host, interfaces: facts)
        try RunOutputs.print(options.json ? diagnosis.json() : diagnosis.text(width: terminalWidth() ?? .max))
        if let error = diagnosis.obstacle { throw error }
    }

    /// The path to the peer; `nil` without a peer, or if nothing could be sent to it.
    private func pathToPeer() throws(ProbeError) -> PeerPath? {
        guard let peer = options.peer, let interface = interfaces.first, interface.isUp,
            host.capabilities.contains(.rawSockets)
        else { return nil }
        return try PeerPath.find(peer, on: interface, transport: .packet, overrides: PeerPath.Overrides())
    }
}

extension Diagnosis {
    /// The error that kept the doctor from trying, for the exit code; `nil` if the trials were made, whatever their
    /// results.
    var obstacle: ProbeError? {
        for interface in interfaces {
            if !interface.isUp {
                return .noInterface(
                    "\(interface.name) is down. Bring it up with `ip link set \(interface.name) up`.")
            }
            if !interface.hasCarrier {
                return .noInterface(
                    "\(interface.name) has no carrier. Connect its cable, or bring the other end of the link up.")
            }
            if let failure = interface.frames.outcome?.failure {
                return [ErrorCode.noDevice, ErrorCode.noSuchAddress].contains(failure.code)
                    ? .noInterface("\(interface.name) went away during the trials.") : .system(failure)
            }
        }
        if !host.capabilities.contains(.rawSockets) {
            return .noPrivilege(
                "CAP_NET_RAW is missing, so nothing was tried. Run as root, or grant it once with "
                    + "`setcap cap_net_raw+ep` on the executable.")
        }
        for case .made(let trial) in interfaces.map(\.frames) {
            if let peer = trial.peer, peer.probes > 0, peer.replies == 0 {
                return .noReply(
                    "The peer answered none of \(peer.probes) STAMP probes. Run `probe reflect` on it, and let UDP port "
                        + "862 pass its firewall.")
            }
        }
        return nil
    }
}
