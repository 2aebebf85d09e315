import LinuxKernel

/// What a link needs of the process, and how a refusal is explained: all that is missing at once.
enum Privileges {
    static func explain(_ transport: Transport, port: UInt16) -> ProbeError {
        var missing: [(capability: String, purpose: String)] = []
        if transport != .udp, !Host.has(.rawSockets) { missing.append(("cap_net_raw", "packet sockets")) }
        if port < 1024, !Host.has(.bindService) { missing.append(("cap_net_bind_service", "UDP port \(port)")) }
        guard !missing.isEmpty else {
            return .noPrivilege("The kernel refused a socket although the capabilities are there: a security module?")
        }
        let needs = missing.map { "\($0.capability.uppercased()) (for \($0.purpose))" }.joined(separator: " and ")
        let grant = missing.map(\.capability).joined(separator: ",")
        let free = port == 8620 ? 8621 : 8620
        return .noPrivilege(
            "This needs \(needs). Run it as root, or once `setcap \(grant)+ep` on the program. "
                + "Without any privilege: `--transport udp --port \(port > 1023 ? port : UInt16(free))` on both hosts.")
    }
}
