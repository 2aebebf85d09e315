import FastAFPacket
import LinuxKernel
import Logging
import NetworkAddresses
import Report
import STAMPWire

/// `probe reflect`: a session-reflector for each address family, and the recorder of both.
struct ReflectRun {
    private let options: ReflectCommand
    private let logger = Probe.logger()
    private let instance = UInt64.random(in: 1...UInt64.max)
    private let interface: Interface

    init(_ options: ReflectCommand) throws(ProbeError) {
        self.options = options
        interface = try ProbeError.system {
            () throws(SystemError) in try Interface(named: options.common.interface)
        }
    }

    /// The parts of one family's reflector.
    private struct Family: Sendable {
        let endpoint: Endpoint
        let control: SessionControl
        let ring: SPSCRing<SessionEvent>
    }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        try await Stopper.run { stopper in try await run(stopper) }
    }

    private func run(_ stopper: Stopper) async throws {
        guard interface.isUp else {
            throw ProbeError.noInterface("\(interface.name) is down. Run `ip link set \(interface.name) up`.")
        }
        let common = options.common
        try RunOutputs.refuseExisting([common.log, common.log.map(RunOutputs.descriptionPath)], common)
        let families = try self.families()
        defer { for family in families { family.endpoint.conn.close() } }
        let nic = NIC(interface, common.stamps)
        for family in families { try common.stamps.check(family.endpoint, nic) }
        await nic.begin()
        var description = RunOutputs.description(
            interface: interface, nic, session: instance, options: optionValues)
        let log = try RunOutputs.openLog(common, description)
        let console = try ProbeError.system { () throws(SystemError) in
            try Console(format: common.output, isQuiet: common.quiet)
        }
        let recorderControl = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        let recorder = Handoff(
            Recorder(
                sources: families.map { Recorder.Source(ring: $0.ring, isLocalSession: false) },
                control: recorderControl, logger: logger, log: log, console: console))
        let configuration = SessionReflector.Configuration(
            instance: instance, bootHash: Host.bootHash(), stamps: common.stamps, allowed: options.allow,
            writesRows: common.log != nil || !common.quiet, timeoutNanoseconds: 2_000_000_000)
        logger.notice("Answering on \(place). Press Ctrl-C to stop.")

        let keeping = housekeeping(families)
        let watching = Housekeeping.watch(nic, logger)
        defer {
            keeping.cancel()
            watching.cancel()
        }
        let start = ClockID.monotonic.now()
        stopper.attach { _ in for family in families { family.control.requestStop(.abort) } }
        let flows = FlowWatch.Scope(port: common.port, localPort: nil, sendsRaw: common.transport == .packet) {
            [interface] in
            Set(Housekeeping.localAddresses(interface))
        }
        let ((results, recorded), history) = try await FlowWatch.follow(common.transport == .l2 ? nil : flows, logger) {
            try await Self.runThreads(families, nic, configuration, recorder, recorderControl)
        }
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        description.set("duration_ns", .integer(ClockID.monotonic.now() &- start))
        let total = results.reduce(into: ReflectorResult()) { $0.add($1) }
        if let steps = total.clockSteps.jsonValue(ofSession: false) { description.set("clock_steps", steps) }
        if let history { description.set("flows", history.jsonValue) }
        if let path = common.log { try RunOutputs.write(description, besideLog: path, replacing: true) }
        try report(results, total, recorded, families.first?.endpoint.receiveStamping ?? .none, history)
    }

    /// Runs the reflectors and the recorder, each on its own thread, until all have ended.
    private static func runThreads(
        _ families: [Family], _ nic: NIC, _ configuration: SessionReflector.Configuration,
        _ recorder: Handoff<Recorder>,
        _ recorderControl: StopSignal
    ) async throws -> ([ReflectorResult], RecorderResult) {
        async let recorded = PacketThread.run(named: "probe-recorder") {
            var local = recorder.take()
            return local?.run() ?? RecorderResult()
        }
        defer { recorderControl.raise() }
        let results = try await withThrowingTaskGroup(of: ReflectorResult.self) { group in
            for (position, family) in families.enumerated() {
                var configuration = configuration
                // Both families have the same clock, so one of them reports its steps.
                configuration.reportsClock = position == 0
                group.addTask { [configuration] in
                    // If one ends, both end: the interface is gone, or a thread could not be started.
                    defer { for family in families { family.control.requestStop(.abort) } }
                    return try await PacketThread.run(named: "probe-reflect", isUrgent: true) {
                        var local = SessionReflector(
                            configuration, endpoint: family.endpoint, nic: nic, control: family.control,
                            events: family.ring)
                        return local.run()
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        recorderControl.raise()
        return (results, try await recorded)
    }

    private func families() throws(ProbeError) -> [Family] {
        let common = options.common
        let tag = common.vlan.map { VLANTag(priority: 0, dropEligible: false, identifier: $0) }
        let setting = Endpoint.Setting(
            transport: common.transport, interface: interface, stamps: common.stamps,
            ethernet: Endpoint.Ethernet(shape: common.shape, tag: tag))
        // Without IP there is only one.
        let wanted = [true, false].filter { isIPv4 in
            if common.transport == .l2 { return isIPv4 }
            return options.allow.isEmpty || options.allow.contains { $0.address.isIPv4 == isIPv4 }
        }
        var families: [Family] = []
        for isIPv4 in wanted {
            let admission = admission(isIPv4: isIPv4)
            let endpoint: Endpoint
            do throws(ProbeError) {
                endpoint = try Endpoint.reflector(setting, port: common.port, isIPv4: isIPv4, admission)
            } catch {
                // Without IPv6 in the kernel, IPv4 is still answered.
                guard !isIPv4, !families.isEmpty, case .system(let cause) = error,
                    cause.code == ErrorCode.familyUnsupported
                else { throw error }
                continue
            }
            if admission.destinations.isEmpty, endpoint.hasIP {
                let version = isIPv4 ? "IPv4" : "IPv6"
                logger.notice(
                    "\(interface.name) has no \(version) address yet. \(version) probes are answered once it has one.")
            }
            RunOutputs.warn(of: endpoint.conn, logger: logger)
            let control = try ProbeError.system { () throws(SystemError) in
                try SessionControl(nextHop: 0, errorEstimate: Housekeeping.errorEstimate())
            }
            families.append(Family(endpoint: endpoint, control: control, ring: SPSCRing(capacity: 1 << 16)))
        }
        return families
    }

    /// The place where probes are received, as text.
    private var place: String {
        let common = options.common
        guard common.transport == .l2 else { return "UDP port \(common.port) of \(interface.name)" }
        let vlan = common.vlan.map { " in VLAN \($0)" } ?? ""
        let station = "\(interface.macAddress) (\(interface.name))"
        return "port \(common.port) of \(station), \(common.shape.rawValue) frames\(vlan)"
    }

    private func admission(isIPv4: Bool) -> Endpoint.Admission {
        Endpoint.Admission(
            sources: options.allow.filter { $0.address.isIPv4 == isIPv4 },
            destinations: Housekeeping.localAddresses(interface).filter { $0.isIPv4 == isIPv4 })
    }

    /// Updates the clock's error estimate and the interface's addresses every second.
    private func housekeeping(_ families: [Family]) -> Task<Void, Never> {
        let current = Handoff(families.map { admission(isIPv4: $0.endpoint.isIPv4) })
        let run = self
        return Housekeeping.every(.seconds(1)) {
            let estimate = Housekeeping.errorEstimate()
            current.withValue { admissions in
                for (position, family) in families.enumerated() {
                    family.control.errorEstimate = estimate
                    let admission = run.admission(isIPv4: family.endpoint.isIPv4)
                    guard admission != admissions[position], !admission.destinations.isEmpty,
                        (try? family.endpoint.admit(admission)) != nil
                    else { continue }
                    admissions[position] = admission
                }
            }
        }
    }

    private func report(
        _ results: [ReflectorResult], _ total: ReflectorResult, _ recorded: RecorderResult, _ receipts: ReceiveStamping,
        _ flows: FlowHistory?
    ) throws(ProbeError) {
        let summary = ReflectSummary(
            interface: interface.name, instance: instance, result: total,
            accounts: results.map { RunOutputs.account($0.account, $0.missed) },
            receipts: receipts, flows: flows)
        let format = options.common.output
        try RunOutputs.print(format == .json ? summary.json() : summary.text(width: terminalWidth() ?? 80))
        if let error = recorded.logFailure { throw .file("\(options.common.log ?? "log"): \(error)") }
        if let error = total.failure {
            if error.code == ErrorCode.noSuchAddress || error.code == ErrorCode.noDevice {
                throw .noInterface("\(interface.name) went away. Check the interface, and start again.")
            }
            throw .system(error)
        }
    }

    private var optionValues: [(String, JSONValue)] {
        [
            ("command", .string("reflect")), ("port", .integer(Int64(options.common.port))),
            ("transport", .string(options.common.transport.rawValue)),
            ("stamps", .string(options.common.stamps.rawValue)),
            ("allow", .array(options.allow.map { .string("\($0)") })),
        ] + options.common.ethernetValues
    }
}
