import Foundation
import Testing

/// Tests that a run leaves the host as it found it.
@Suite(.serialized, .needsRoot)
struct RestoreTests {
    enum End: String, CaseIterable, Sendable {
        case byItself, terminate, interrupt
    }

    /// The compared state, and the programs that print it.
    private static let programs: [(name: String, program: [String])] = [
        // The same as `sysctl -a` for net.
        ("sysctl", ["sh", "-c", "grep -rs '' /proc/sys/net || true"]),
        ("links", ["ip", "-d", "link"]),
        ("addresses", ["ip", "-d", "address"]),
        ("routes", ["ip", "route", "show", "table", "all"]),
        ("IPv6 routes", ["ip", "-6", "route", "show", "table", "all"]),
        ("rules", ["ip", "rule"]),
        ("queueing", ["tc", "qdisc"]),
        ("features", ["ethtool", "-k", Lab.interface]),
        ("stamping", ["ethtool", "-T", Lab.interface]),
        ("channels", ["ethtool", "-l", Lab.interface]),
        ("multicast", ["ip", "maddress"]),
        // In this namespace only the probe opens sockets.
        ("sockets", ["cat", "/proc/net/packet", "/proc/net/udp", "/proc/net/udp6", "/proc/net/raw"]),
        ("neighbours", ["ip", "neigh"]),
    ]

    /// Counters that change without the probe.
    private static let ignored = ["nf_conntrack_count"]

    private static func state(_ lab: Lab, _ side: Lab.Side) throws -> [String: String] {
        var state: [String: String] = [:]
        for (name, program) in programs {
            // Not every host has each tool; those missing before the run are missing after it.
            guard let text = try? lab.run(side, program) else { continue }
            let lines = text.split(separator: "\n").filter { line in !ignored.contains { line.contains($0) } }
            state[name] = lines.joined(separator: "\n")
        }
        for name in ["sysctl", "links", "addresses", "queueing", "sockets", "neighbours"] {
            try #require(state[name] != nil, "no \(name)")
        }
        return state
    }

    private func expectSame(_ before: [String: String], _ after: [String: String]) {
        #expect(before.keys.sorted() == after.keys.sorted())
        for (name, text) in before where after[name] != text {
            let old = text.split(separator: "\n")
            let new = (after[name] ?? "").split(separator: "\n")
            let changes = new.difference(from: old).map { change in
                switch change {
                case .insert(_, let line, _): "+ \(line)"
                case .remove(_, let line, _): "- \(line)"
                }
            }
            Issue.record("\(name) changed:\n\(changes.joined(separator: "\n"))")
        }
    }

    private func finish(_ process: ProbeProcess, _ end: End) async throws {
        switch end {
        case .byItself: break
        case .terminate: process.signal(SIGTERM)
        case .interrupt: process.signal(SIGINT)
        }
        #expect(try await process.exit() == 0, "\(process.errors)")
    }

    private static func options(_ end: End) -> [String] {
        ["--rate", "200"] + (end == .byItself ? ["--count", "100"] : [])
    }

    @Test(arguments: End.allCases) func `A run changes no setting, address, queue or neighbour on either side`(end: End)
        async throws
    {
        try await Lab.with { lab in
            let before = (a: try Self.state(lab, .a), b: try Self.state(lab, .b))
            let (a, b) = (
                try lab.startRun(.a, .ipv4, Self.options(end)), try lab.startRun(.b, .ipv4, Self.options(end))
            )
            try await a.waitForRows(50, in: lab.log(.a))
            try await b.waitForRows(50, in: lab.log(.b))
            try await finish(a, end)
            try await finish(b, end)
            expectSame(before.a, try Self.state(lab, .a))
            expectSame(before.b, try Self.state(lab, .b))
        }
    }

    @Test(
        arguments: End.allCases,
        [Lab.Family.ipv4, .ipv6, .linkLocal]) func `A neighbour entry that the probe created is removed`(
            end: End, family: Lab.Family
        ) async throws
    {
        try await Lab.with(neighbours: .resolved) { lab in
            let reflector = try await lab.startReflect(.b)
            let before = try Self.state(lab, .a)
            try #require(before["neighbours"] == "")
            let run = try lab.startRun(.a, family, Self.options(end))
            try await run.waitForRows(50, in: lab.log(.a))
            try await finish(run, end)
            expectSame(before, try Self.state(lab, .a))
            reflector.signal(SIGTERM)
            #expect(try await reflector.exit() == 0)
        }
    }

    @Test func `A neighbour entry that existed before the run stays`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            _ = try await lab.startReflect(.b)
            // The kernel revalidates a stale entry when it is used: the entry's state may change, but it stays.
            try lab.ip(.a, "neigh add \(Lab.ipv4(.b)) lladdr \(Lab.mac(.b)) dev \(Lab.interface) nud stale")
            _ = try await lab.startRun(.a, .ipv4, ["--rate", "200", "--count", "50"]).summary()
            #expect(try lab.ip(.a, "neigh").hasPrefix("\(Lab.ipv4(.b)) dev \(Lab.interface) lladdr \(Lab.mac(.b))"))
        }
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `The reflector leaves the host as it found it`(signal: Int32) async throws
    {
        try await Lab.with { lab in
            let before = try Self.state(lab, .b)
            let reflector = try await lab.startReflect(.b)
            _ = try await lab.startRun(.a, .ipv4, ["--rate", "200", "--count", "50"]).summary()
            reflector.signal(signal)
            #expect(try await reflector.exit() == 0)
            expectSame(before, try Self.state(lab, .b))
        }
    }
}
