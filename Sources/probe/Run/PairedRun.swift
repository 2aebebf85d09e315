import FastAFPacket
import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import Report
import STAMPWire

/// `probe run`: a session-sender and a session-reflector for one peer, and the recorder of both.
struct PairedRun {
    let options: RunCommand
    let logger = Probe.logger()
    let session = UInt64.random(in: 1...UInt64.max)
    let interface: Interface

    init(_ options: RunCommand) throws(ProbeError) {
        self.options = options
        interface = try ProbeError.system {
            () throws(SystemError) in try Interface(named: options.common.interface)
        }
    }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        _ = try layout(route: nil)
        try await Stopper.run { stopper in try await run(stopper) }
    }

    private func run(_ stopper: Stopper) async throws {
        let path =
            switch options.peer {
            case .ip(let peer):
                try PeerPath.find(
                    peer, on: interface, transport: options.common.transport, overrides: overrides)
            case .station(let peer): try PeerPath.direct(to: peer, on: interface)
            }
        defer { path.removeNeighbour(on: interface) }
        try await serve(path, layout(route: path.mtu), stopper)
    }

    private var overrides: PeerPath.Overrides {
        PeerPath.Overrides(source: options.source, nextHop: options.nextHop, macAddress: options.mac)
    }

    /// The probe's layout, whose size is checked against the MTU.
    private func layout(route mtu: Int?) throws(ProbeError) -> ProbeLayout {
        let room = options.peer.room(mtu: min(interface.mtu, mtu ?? interface.mtu), shape: options.common.shape)
        let layout: ProbeLayout
        do throws(ProbeLayoutError) {
            layout = try ProbeLayout(size: options.size, classOfService: options.dscp > 0)
        } catch {
            throw .usage("--size: \(error).")
        }
        guard layout.size <= room else {
            throw .usage(
                "Packets of \(layout.size) bytes do not fit the MTU of \(interface.name): at most \(room) do.")
        }
        return layout
    }

    private func serve(_ path: PeerPath, _ layout: ProbeLayout, _ stopper: Stopper) async throws {
        let common = options.common
        try RunOutputs.refuseSame([common.log, common.log.map(RunOutputs.descriptionPath), options.histogram])
        try RunOutputs.refuseExisting(
            [common.log, common.log.map(RunOutputs.descriptionPath), options.histogram], common)
        let setting = Endpoint.Setting(
            transport: common.transport, interface: interface, stamps: common.stamps, hopLimit: options.ttl,
            ethernet: Endpoint.Ethernet(shape: common.shape, tag: options.tag, peer: options.peer.station))
        let address = options.peer.address
        let isLinkLocal = address.isLinkLocal && !address.isIPv4
        let peer = SocketAddress(
            address, port: common.port, scope: isLinkLocal ? UInt32(clamping: interface.index) : 0)
        let admission = Endpoint.Admission(sources: onlyPeer, destinations: [path.source])
        let reflectorEndpoint = try Endpoint.reflector(
            setting, port: common.port, isIPv4: peer.address.isIPv4, admission)
        let senderEndpoint = try Endpoint.sender(setting, source: path.source, peer: peer)
        defer {
            senderEndpoint.conn.close()
            reflectorEndpoint.conn.close()
        }
        RunOutputs.warn(of: senderEndpoint.conn, reflectorEndpoint.conn, logger: logger)
        let ssid = UInt16.random(in: 1...UInt16.max)
        let sampleWatch = try watchSamples(path.source, senderEndpoint, ssid)
        let nic = NIC(interface, common.stamps)
        try common.stamps.check(senderEndpoint, nic)
        await nic.begin()

        var description = RunOutputs.description(
            interface: interface, nic, session: session, options: optionValues)
        let log = try RunOutputs.openLog(common, description)
        if let path = options.histogram { try RunOutputs.reserve(path, replacing: common.force) }
        let console = try ProbeError.system { () throws(SystemError) in
            try Console(format: common.output, isQuiet: common.quiet)
        }

        let threads = try ThreadControls(
            nextHop: path.macAddress.rawValue, intervalNanoseconds: options.intervalNanoseconds)
        let bootHash = Host.bootHash()
        let sender = SessionSender.Configuration(
            session: session, ssid: ssid, peer: peer, station: options.peer.station, source: path.source,
            layout: layout, intervalNanoseconds: options.intervalNanoseconds, count: options.probes,
            timeoutNanoseconds: options.timeout.nanoseconds, dscp: options.dscp, hopLimit: options.ttl,
            bootHash: bootHash,
            stamps: common.stamps)
        let reflector = SessionReflector.Configuration(
            instance: session, bootHash: bootHash, stamps: common.stamps, allowed: onlyPeer,
            writesRows: options.logReflected || sampleWatch != nil, timeoutNanoseconds: options.timeout.nanoseconds)
        let recorder = Handoff(
            Recorder(
                sources: [
                    Recorder.Source(ring: threads.senderRing, isLocalSession: true),
                    Recorder.Source(
                        ring: threads.reflectorRing, isLocalSession: false, isLogged: options.logReflected),
                ], control: threads.recorder, logger: logger, log: log, console: console,
                samples: sampleWatch.map {
                    SampleJoin(
                        group: $0.group, ring: $0.ring, localPort: senderEndpoint.port,
                        timeout: options.timeout.nanoseconds)
                }))

        let keeping = housekeeping(threads)
        let watching = Housekeeping.watch(nic, logger)
        defer {
            keeping.cancel()
            watching.cancel()
        }
        stopper.attach { count in threads.stop(signals: count) }
        let flows = FlowWatch.Scope(
            port: common.port, localPort: senderEndpoint.port, sendsRaw: common.transport == .packet
        ) { [path.source] }
        let (outcome, history) = try await FlowWatch.follow(senderEndpoint.hasIP ? flows : nil, logger) {
            try await Self.runThreads(
                threads, nic, sender: (sender, senderEndpoint), reflector: (reflector, reflectorEndpoint), recorder,
                sampleWatch)
        }
        try report(outcome, nic, senderEndpoint.receiveStamping, history, &description)
    }

    /// Runs sender, reflector and recorder, each on its own thread, until all have ended.
    private static func runThreads(
        _ threads: ThreadControls, _ nic: NIC,
        sender: (configuration: SessionSender.Configuration, endpoint: Endpoint),
        reflector: (configuration: SessionReflector.Configuration, endpoint: Endpoint), _ recorder: Handoff<Recorder>,
        _ sampleWatch: SampleWatch?
    ) async throws -> Outcome {
        async let heard = listen(sampleWatch)
        async let recorded = PacketThread.run(named: "probe-recorder") {
            var local = recorder.take()
            return local?.run() ?? RecorderResult()
        }
        async let reflected = PacketThread.run(named: "probe-reflect", isUrgent: true) {
            var local = SessionReflector(
                reflector.configuration, endpoint: reflector.endpoint, nic: nic, control: threads.reflector,
                events: threads.reflectorRing)
            return local.run()
        }
        do {
            let sent = try await PacketThread.run(named: "probe-sender", isUrgent: true) {
                var local = SessionSender(
                    sender.configuration, endpoint: sender.endpoint, nic: nic, control: threads.sender,
                    events: threads.senderRing)
                return local.run()
            }
            threads.senderIsOver()
            let reflection = try await reflected
            sampleWatch?.stop.raise()
            let counts = try await heard
            threads.recorder.raise()
            var recording = try await recorded
            if let counts { recording.samples?.counts = counts }
            return Outcome(sender: sent, reflector: reflection, recorder: recording)
        } catch {
            // If a thread could not be started, the others must not wait for it.
            threads.abort()
            sampleWatch?.stop.raise()
            throw error
        }
    }

    private static func listen(_ sampleWatch: SampleWatch?) async throws -> SampleComparison.Counts? {
        guard let sampleWatch else { return nil }
        return try await PacketThread.run(named: "probe-psample") { sampleWatch.run() }
    }

    /// Subscribes to the requested samples.
    private func watchSamples(
        _ source: IPAddress, _ senderEndpoint: Endpoint, _ ssid: UInt16
    ) throws(ProbeError) -> SampleWatch? {
        guard let group = options.psample else { return nil }
        let flow = SampledFlow(
            interface: UInt32(clamping: interface.index), local: source, peer: options.peer.address,
            port: options.common.port, senderPort: senderEndpoint.port, ssid: ssid)
        return try SampleWatch(group: group, flow, intervalNanoseconds: options.intervalNanoseconds, logger)
    }

    private var onlyPeer: [IPNetwork] {
        let address = options.peer.address
        return IPNetwork(address: address, prefixLength: address.bitWidth).map { [$0] } ?? []
    }

    /// Updates the clock's error estimate and the next hop every second.
    private func housekeeping(_ threads: ThreadControls) -> Task<Void, Never> {
        let interface = interface
        let peer = options.peer.address
        let overrides = overrides
        let followsNextHop = options.common.transport == .packet && overrides.macAddress == nil
        return Housekeeping.every(.seconds(1)) {
            let estimate = Housekeeping.errorEstimate()
            threads.sender.errorEstimate = estimate
            threads.reflector.errorEstimate = estimate
            guard followsNextHop, let connection = try? NetlinkConnection() else { return }
            // The kernel sees no replies to raw frames, so it would keep a silent neighbour's old address forever.
            if threads.sender.isPeerSilent { PeerPath.remind(peer, on: interface, overrides: overrides, connection) }
            guard let mac = PeerPath.currentMAC(peer, on: interface, overrides: overrides, connection)
            else { return }
            threads.sender.nextHopMAC = mac.rawValue
        }
    }
}

/// The results of a run's three threads.
struct Outcome: Sendable {
    var sender: SenderResult
    var reflector: ReflectorResult
    var recorder: RecorderResult
}
