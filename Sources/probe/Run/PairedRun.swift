import FastAFPacket
import LinuxKernel
import Logging
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// `probe run`: a session with each peer, the reflector for the peers' probes, and the recorder.
struct PairedRun {
    let options: RunCommand
    let logger = Probe.logger()
    let interface: Interface
    /// The session ID of the first peer, which the peers of all sessions see as that of this reflector.
    let session = UInt64.random(in: 1...UInt64.max)

    init(_ options: RunCommand) throws(ProbeError) {
        self.options = options
        interface = try ProbeError.system {
            () throws(SystemError) in try Interface(named: options.common.interface)
        }
    }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        let peers = try allPeers()
        for peer in peers { _ = try RunSessions.layout(options, peer.peer, interface, route: nil) }
        try await Stopper.run { stopper in try await run(peers, stopper) }
    }

    /// The peers of the command line and of the file.
    private func allPeers() throws -> [NamedPeer] {
        var peers = options.peer.map { NamedPeer(peer: $0) }
        if let path = options.peers {
            let listed = try PeerList.read(path)
            for entry in listed { try options.validate(entry.peer) }
            peers += listed
        }
        guard !peers.isEmpty else { throw ProbeError.usage("\(options.peers ?? "--peers"): lists no peer.") }
        guard peers.count <= EndpointLoop.sessionLimit else {
            throw ProbeError.usage(
                "\(peers.count) peers are too many for one run: at most \(EndpointLoop.sessionLimit). Start a second "
                    + "run for the others, with `--no-reflect`.")
        }
        return peers
    }

    private func run(_ peers: [NamedPeer], _ stopper: Stopper) async throws {
        let common = options.common
        let sessions = try RunSessions.find(peers, options, interface, session: session, logger)
        defer { sessions.removeNeighbours(on: interface) }
        try RunOutputs.refuseSame([common.log, common.log.map(RunOutputs.descriptionPath), options.histogram])
        try RunOutputs.refuseExisting(
            [common.log, common.log.map(RunOutputs.descriptionPath), options.histogram], common)
        let setting = EndpointSetting(
            transport: common.transport, interface: interface, stamps: common.stamps, hopLimit: options.ttl,
            ethernet: EthernetSetting(
                shape: common.shape, tag: options.tag, peer: sessions.only?.peer.peer.station))
        let reflectors = try openReflectors(sessions, setting)
        defer { for socket in reflectors { socket.close() } }
        let senders = try sessions.openSenders(setting, options)
        defer { for socket in senders { socket.close() } }
        RunOutputs.warn(of: senders + reflectors, logger)
        let nic = NIC(interface, common.stamps)
        for socket in senders { try common.stamps.check(socket, nic) }
        let host = HostIdentity(bootHash: Host.bootHash(), hardwareClock: nic.wireIndex)
        var plan = EndpointPlan(
            sockets: senders + reflectors, sessions: sessions.settings(senders, options, host),
            peerPort: common.port, timeoutNanoseconds: options.timeout.nanoseconds, spins: common.spin)
        let sampleWatch = try watchSamples(plan)
        if let socket = reflectors.first {
            plan.reflector = reflectorConfiguration(sessions, socket, host, isSampled: sampleWatch != nil)
        }
        await nic.begin()
        try await measure(plan, sessions, nic, sampleWatch, stopper)
    }

    private func measure(
        _ plan: EndpointPlan, _ sessions: RunSessions, _ nic: NIC, _ sampleWatch: SampleWatch?, _ stopper: Stopper
    ) async throws {
        let common = options.common
        var description = RunOutputs.description(
            interface: interface, nic, session: session, options: optionValues)
        description.set(peers: sessions.entries.map { facts(of: $0, nil) })
        let log = try RunOutputs.openLog(common, description)
        if let path = options.histogram { try RunOutputs.reserve(path, replacing: common.force) }
        let console = try ProbeError.system { () throws(SystemError) in
            try Console(format: common.output, isQuiet: common.quiet)
        }
        let threads = try EndpointThreads(rowsPerSecond: rowsPerSecond(sessions))
        let recorder = Handoff(
            Recorder(
                sessions: sessions.entries.map(\.peer), window: window, logsReflected: options.logReflected, threads,
                logger: logger, log: log, console: console,
                samples: sampleWatch.map {
                    SampleJoin(
                        group: $0.group, ring: $0.ring, localPort: plan.sessions[0].port,
                        timeout: options.timeout.nanoseconds)
                }))
        let paths = try watchPaths(sessions, threads.control)
        let keeping = housekeeping(paths, threads.control)
        let watching = Housekeeping.watch(nic, logger)
        defer {
            keeping.cancel()
            watching.cancel()
        }
        stopper.attach { count in threads.control.requestStop(count == 1 ? .finish : .abort) }
        let addresses = Set(sessions.entries.map(\.path.source))
        let flows = FlowWatch.Scope(
            port: common.port, localPorts: plan.sockets[0].ports, sendsRaw: common.transport == .packet
        ) { addresses }
        let ((endpoint, recorded), history) = try await FlowWatch.follow(
            common.transport.hasIP ? flows : nil, logger
        ) {
            try await threads.run(plan, nic, recorder, paths, sampleWatch)
        }
        let outcome = Outcome(endpoint: endpoint, recorder: recorded)
        try report(outcome, sessions, nic, plan.sockets[0].receiveStamping, history, &description)
    }

    /// The rows that the sessions and the peers' cause each second.
    private func rowsPerSecond(_ sessions: RunSessions) -> Double {
        2 * Double(sessions.entries.count) * 1e9 / Double(max(1, options.intervalNanoseconds))
            * (options.logReflected ? 2 : 1)
    }

    /// The sequence numbers within which a session's rows are matched.
    private var window: Int {
        var burst = 1
        if case .burst(let size) = options.schedule { burst = Int(size) }
        return SessionStatistics.window(
            intervalNanoseconds: options.intervalNanoseconds, timeoutNanoseconds: options.timeout.nanoseconds,
            burst: burst)
    }

    /// Subscribes to the requested samples.
    private func watchSamples(_ plan: EndpointPlan) throws(ProbeError) -> SampleWatch? {
        guard let group = options.psample, let session = plan.sessions.first else { return nil }
        let flow = SampledFlow(
            interface: UInt32(clamping: interface.index), local: session.source, peer: session.peer.address,
            port: options.common.port, senderPort: session.port, ssid: session.configuration.ssid)
        return try SampleWatch(group: group, flow, intervalNanoseconds: options.intervalNanoseconds, logger)
    }

    /// Follows the next hops of the peers' packets. Without raw frames the kernel does it.
    private func watchPaths(_ sessions: RunSessions, _ control: EndpointControl) throws(ProbeError) -> PathWatch {
        guard options.common.transport == .packet else { return try PathWatch(interface, PathWatch.Reports()) }
        let overrides = options.overrides
        return try PathWatch(
            interface,
            peers: sessions.entries.map { PathWatch.Peer(address: $0.peer.peer.address, overrides: overrides) },
            PathWatch.Reports(nextHop: { session, address in
                control.post(.nextHop(session: session, address))
            }))
    }

    /// Updates the clock's error estimate every second, and reminds the kernel of next hops that do not reply: it sees no
    /// replies to raw frames, so it would keep the old MAC address of a silent one.
    private func housekeeping(_ paths: PathWatch, _ control: EndpointControl) -> Task<Void, Never> {
        Housekeeping.every(.seconds(1)) {
            control.errorEstimate = Housekeeping.errorEstimate()
            let silent = control.silentSessions
            if !silent.isEmpty { paths.remind(silent) }
        }
    }
}

/// The results of a run's threads.
struct Outcome: Sendable {
    var endpoint: EndpointResult
    var recorder: RecorderResult
}
