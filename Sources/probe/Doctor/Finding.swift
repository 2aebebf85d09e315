import FastAFPacket
import LinuxKernel

/// Something that hurts, and what to do about it.
struct Finding: Hashable, Sendable {
    enum Severity: String, Hashable, Sendable {
        /// Something does not work that is said to, or that most measurements need.
        case problem
        /// A limit to know of.
        case note
    }

    /// `nil` for the whole host.
    var interface: String?
    var severity: Severity
    var text: String
    var remedy: String
}

extension Diagnosis {
    /// Those of the host first, then each interface's.
    var findings: [Finding] { hostFindings + interfaces.flatMap { $0.findings(host) } }

    private var hostFindings: [Finding] {
        var found: [Finding] = []
        func add(_ severity: Finding.Severity, _ text: String, _ remedy: String) {
            found.append(Finding(interface: nil, severity: severity, text: text, remedy: remedy))
        }
        if !host.capabilities.contains(.rawSockets) {
            add(
                .problem, "CAP_NET_RAW is missing: no packet sockets, so nothing could be tried.",
                "Run as root, or `setcap cap_net_raw+ep` on the program; `--transport udp` does without.")
        }
        if !host.capabilities.contains(.networkAdministration), interfaces.contains(where: \.needsSwitchingOn) {
            add(
                .problem, "CAP_NET_ADMIN is missing: a NIC's hardware timestamps can't be switched on.",
                "Run as root, or `setcap cap_net_raw,cap_net_admin+ep` on the program.")
        }
        let firstPort = host.setting("net.ipv4.ip_unprivileged_port_start") ?? 1024
        if !host.capabilities.contains(.bindService), firstPort > 862 {
            add(
                .note, "CAP_NET_BIND_SERVICE is missing: the standard port 862 can't be used.",
                "`setcap cap_net_raw,cap_net_bind_service+ep` on the program, or `--port 8620` on both hosts.")
        }
        if let limit = host.setting("net.core.rmem_max"), limit < Self.wantedBuffer,
            !host.capabilities.contains(.networkAdministration)
        {
            add(
                .note,
                "net.core.rmem_max is \(limit), and CAP_NET_ADMIN is missing: at high rates packets and timestamps are lost.",
                "`sysctl -w net.core.rmem_max=\(Self.wantedBuffer)`, or CAP_NET_ADMIN.")
        }
        if host.setting("net.core.tstamp_allow_data") == 0 {
            add(
                .note,
                "net.core.tstamp_allow_data is 0: programs without CAP_NET_RAW get no timestamps that carry their packet.",
                "`sysctl -w net.core.tstamp_allow_data=1` for such programs; probe asks for timestamps alone.")
        }
        if !host.takesIdentifiers {
            add(
                .note, "This kernel counts timestamps' ids: each packet is a system call of its own.",
                "Linux 6.13 or newer takes the ids with the packets.")
        }
        return found
    }

    /// What ``PacketConn/Configuration/receiveBufferBytes`` asks for.
    private static var wantedBuffer: Int { Int(PacketConn.Configuration().receiveBufferBytes) }
}

extension InterfaceFacts {
    var offersHardware: Bool {
        [.hardwareTransmit, .hardwareReceive, .hardwareReceivePTP].contains { offers($0) }
    }

    /// Whether the NIC has timestamps and they were off when we came.
    var needsSwitchingOn: Bool {
        if case .success(.off) = stamping { return offersHardware }
        return false
    }
}
