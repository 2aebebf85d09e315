import FastAFPacket
import LinuxKernel

/// A fault or limit that affects measurements, and its remedy.
struct Finding: Hashable, Sendable {
    enum Severity: String, Hashable, Sendable {
        /// An advertised capability does not work, or one that most measurements need is missing.
        case problem
        /// A limit that measurements should allow for.
        case note
    }

    /// The interface; `nil` for the whole host.
    var interface: String?
    var severity: Severity
    var text: String
    var remedy: String
}

extension Diagnosis {
    /// The host's findings, followed by those of each interface.
    var findings: [Finding] { hostFindings + interfaces.flatMap { $0.findings(host) } }

    private var hostFindings: [Finding] {
        var found: [Finding] = []
        func add(_ severity: Finding.Severity, _ text: String, _ remedy: String) {
            found.append(Finding(interface: nil, severity: severity, text: text, remedy: remedy))
        }
        if !host.capabilities.contains(.rawSockets) {
            add(
                .problem, "CAP_NET_RAW is missing: no packet sockets, so nothing was tried.",
                "Run as root, or grant it with `setcap cap_net_raw+ep` on the executable. `probe run --transport udp` does not need it."
            )
        }
        if !host.capabilities.contains(.networkAdministration), interfaces.contains(where: \.needsSwitchingOn) {
            add(
                .problem, "CAP_NET_ADMIN is missing: hardware timestamping, which is off, cannot be switched on.",
                "Run as root, or grant it with `setcap cap_net_raw,cap_net_admin+ep` on the executable.")
        }
        let firstPort = host.setting("net.ipv4.ip_unprivileged_port_start") ?? 1024
        if !host.capabilities.contains(.bindService), firstPort > 862 {
            add(
                .note, "CAP_NET_BIND_SERVICE is missing: the standard port 862 cannot be used.",
                "Grant it with `setcap cap_net_raw,cap_net_bind_service+ep` on the executable, or use `--port 8620` on both hosts."
            )
        }
        if let limit = host.setting("net.core.rmem_max"), limit < Self.wantedBuffer,
            !host.capabilities.contains(.networkAdministration)
        {
            add(
                .note,
                "CAP_NET_ADMIN is missing and net.core.rmem_max is \(limit): at high rates, small buffers lose packets and timestamps.",
                "Raise it with `sysctl -w net.core.rmem_max=\(Self.wantedBuffer)`, or grant CAP_NET_ADMIN.")
        }
        if host.setting("net.core.tstamp_allow_data") == 0 {
            add(
                .note,
                "net.core.tstamp_allow_data is 0: applications without CAP_NET_RAW get no timestamps that carry their packet.",
                "For them, `sysctl -w net.core.tstamp_allow_data=1`. `probe` is not affected: its timestamps carry no packet."
            )
        }
        if !host.acceptsIdentifiers {
            add(
                .note, "This kernel infers timestamp IDs by counting: each packet needs its own system call.",
                "Linux 6.13 or newer accepts an ID with each packet.")
        }
        return found
    }

    /// The default of ``PacketConn/Configuration/receiveBufferBytes``.
    private static var wantedBuffer: Int { Int(PacketConn.Configuration().receiveBufferBytes) }
}

extension InterfaceFacts {
    var offersHardware: Bool {
        [.hardwareTransmit, .hardwareReceive, .hardwareReceivePTP].contains { offers($0) }
    }

    /// True if the NIC has hardware timestamps and they were off before the trials.
    var needsSwitchingOn: Bool {
        if case .success(.off) = stamping { return offersHardware }
        return false
    }
}
