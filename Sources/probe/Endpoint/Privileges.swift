import LinuxKernel

/// The capabilities that an endpoint needs.
enum Privileges {
    /// The error for a refused socket, which names all missing capabilities at once.
    static func explain(_ transport: Transport, port: UInt16) -> ProbeError {
        var missing: [(capability: String, purpose: String)] = []
        if transport != .udp, !Host.has(.rawSockets) { missing.append(("cap_net_raw", "packet sockets")) }
        if port < 1024, !Host.has(.bindService) { missing.append(("cap_net_bind_service", "UDP port \(port)")) }
        guard !missing.isEmpty else {
            return .noPrivilege(
                "The kernel refused a socket although this process has the capabilities. Check the policy of its "
                    + "container (seccomp) or security module (AppArmor, SELinux).")
        }
        let needs = missing.map { "\($0.capability.uppercased()) (for \($0.purpose))" }.joined(separator: " and ")
        let grant = missing.map(\.capability).joined(separator: ",")
        let free = port == 8620 ? 8621 : 8620
        return .noPrivilege(
            "This needs \(needs). Run as root, or grant it once with `setcap \(grant)+ep` on the executable. "
                + "No privilege is needed with `--transport udp --port \(port > 1023 ? port : UInt16(free))` on both hosts."
        )
    }
}
