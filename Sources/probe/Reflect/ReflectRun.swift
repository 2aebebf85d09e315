import FastAFPacket
import LinuxKernel
import Logging
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// `probe reflect`: a session-reflector for all address families, and the recorder of its rows.
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
        let sockets = try openSockets()
        defer { for socket in sockets { socket.close() } }
        let nic = NIC(interface, common.stamps)
        for socket in sockets { try common.stamps.check(socket, nic) }
        await nic.begin()
        var description = RunOutputs.description(
            interface: interface, nic, session: instance, options: optionValues)
        let log = try RunOutputs.openLog(common, description)
        let console = try ProbeError.system { () throws(SystemError) in
            try Console(format: common.output, isQuiet: common.quiet)
        }
        let threads = try EndpointThreads(rowsPerSecond: .infinity)
        let recorder = Handoff(
            Recorder(
                sessions: [], window: 0, logsReflected: true, threads, logger: logger, log: log, console: console))
        let plan = EndpointPlan(
            sockets: sockets, peerPort: common.port, reflector: configuration(sockets, nic),
            timeoutNanoseconds: Self.timeoutNanoseconds, spins: common.spin)
        logger.notice("Answering on \(place). Press Ctrl-C to stop.")

        let addresses = try watchAddresses(sockets, threads.control)
        let keeping = Housekeeping.every(.seconds(1)) {
            threads.control.errorEstimate = Housekeeping.errorEstimate()
        }
        let watching = Housekeeping.watch(nic, logger)
        defer {
            keeping.cancel()
            watching.cancel()
        }
        stopper.attach { _ in threads.control.requestStop(.abort) }
        let flows = FlowWatch.Scope(port: common.port, localPorts: nil, sendsRaw: common.transport == .packet) {
            [interface] in
            Set(Housekeeping.localAddresses(interface))
        }
        let ((result, recorded), history) = try await FlowWatch.follow(
            common.transport.hasIP ? flows : nil, logger
        ) {
            try await threads.run(plan, nic, recorder, addresses)
        }
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        description.set("duration_ns", .integer(result.duration))
        if let steps = result.reflector.clockSteps.jsonValue(ofSession: false) { description.set("clock_steps", steps) }
        if let history { description.set("flows", history.jsonValue) }
        if let path = common.log { try RunOutputs.write(description, besideLog: path, replacing: true) }
        try report(result, recorded, sockets.first?.receiveStamping ?? .none, history)
    }

    /// The time to wait for a timestamp or for a sender's telemetry, in nanoseconds.
    private static let timeoutNanoseconds: Int64 = 2_000_000_000

    private func configuration(_ sockets: [EndpointSocket], _ nic: NIC) -> SessionReflector.Configuration {
        let common = options.common
        var configuration = SessionReflector.Configuration(
            instance: instance, host: HostIdentity(bootHash: Host.bootHash(), hardwareClock: nic.wireIndex),
            port: common.port)
        configuration.allowed = options.allow
        configuration.writesRows = common.log != nil || !common.quiet
        configuration.timeoutNanoseconds = Self.timeoutNanoseconds
        configuration.reportsClock = true
        configuration.hasIP = common.transport.hasIP
        configuration.expectedStamps = sockets.first.map { StampKinds($0.conn.transmitStamps) } ?? []
        configuration.usesHardwareOnly = common.stamps.usesHardwareOnly
        return configuration
    }

    /// Opens the sockets of each address family.
    private func openSockets() throws(ProbeError) -> [EndpointSocket] {
        let common = options.common
        let tag = common.vlan.map { VLANTag(priority: 0, dropEligible: false, identifier: $0) }
        let setting = EndpointSetting(
            transport: common.transport, interface: interface, stamps: common.stamps,
            ethernet: EthernetSetting(shape: common.shape, tag: tag))
        // Without IP there is only one.
        let wanted = [true, false].filter { isIPv4 in
            if common.transport == .l2 { return isIPv4 }
            return options.allow.isEmpty || options.allow.contains { $0.address.isIPv4 == isIPv4 }
        }
        var sockets: [EndpointSocket] = []
        for isIPv4 in wanted {
            let admission = admission(isIPv4: isIPv4, Housekeeping.localAddresses(interface))
            do throws(ProbeError) {
                sockets.append(
                    try EndpointSocket.reflector(setting, port: common.port, isIPv4: isIPv4, admission))
            } catch {
                // Without IPv6 in the kernel, IPv4 is still answered.
                guard !isIPv4, !sockets.isEmpty, case .system(let cause) = error,
                    cause.code == ErrorCode.familyUnsupported
                else { throw error }
                continue
            }
            if admission.destinations.isEmpty, setting.transport.hasIP {
                let version = isIPv4 ? "IPv4" : "IPv6"
                logger.notice(
                    "\(interface.name) has no \(version) address yet. \(version) probes are answered once it has one.")
            }
        }
        RunOutputs.warn(of: sockets, logger)
        return sockets
    }

    /// The place where probes are received, as text.
    private var place: String {
        let common = options.common
        guard common.transport == .l2 else { return "UDP port \(common.port) of \(interface.name)" }
        let vlan = common.vlan.map { " in VLAN \($0)" } ?? ""
        let station = "\(interface.macAddress) (\(interface.name))"
        return "port \(common.port) of \(station), \(common.shape.rawValue) frames\(vlan)"
    }

    private func admission(isIPv4: Bool, _ addresses: [IPAddress]) -> Admission {
        Admission(
            sources: options.allow.filter { $0.address.isIPv4 == isIPv4 },
            destinations: addresses.filter { $0.isIPv4 == isIPv4 })
    }

    /// Follows the interface's addresses, which probes may be sent to.
    private func watchAddresses(
        _ sockets: [EndpointSocket], _ control: EndpointControl
    ) throws(ProbeError) -> PathWatch {
        let run = self
        return try PathWatch(
            interface,
            PathWatch.Reports(addresses: { addresses in
                for (position, socket) in sockets.enumerated() where socket.admission != nil {
                    let admission = run.admission(isIPv4: socket.isIPv4, addresses)
                    guard !admission.destinations.isEmpty else { continue }
                    control.post(.admit(socket: position, admission))
                }
            }))
    }

    private func report(
        _ result: EndpointResult, _ recorded: RecorderResult, _ receipts: ReceiveStamping, _ flows: FlowHistory?
    ) throws(ProbeError) {
        let summary = ReflectSummary(
            interface: interface.name, instance: instance, result: result, socket: recorded.socket,
            receipts: receipts, flows: flows)
        let format = options.common.output
        try RunOutputs.print(format == .json ? summary.json() : summary.text(width: terminalWidth() ?? 80))
        if let error = recorded.logFailure { throw .file("\(options.common.log ?? "log"): \(error)") }
        if let error = result.failure {
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
