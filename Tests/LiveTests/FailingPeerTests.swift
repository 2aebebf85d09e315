import Foundation
import Report
import Testing

/// Tests runs in which some of several peers fail: the others are measured as if they were alone, and the exit code is
/// that of the worst failure.
@Suite(.serialized, .needsRoot)
struct FailingPeerTests {
    private static let good = "192.0.2.2"
    private static let other = "192.0.2.3"
    private static let unrouted = "203.0.113.9"
    private static let absent = "192.0.2.77"
    private static let count = 300
    private static let options = ["--rate", "100", "--count", "\(count)", "--timeout", "500ms"]

    /// Runs `body` with a reflector at the good peer, and another host without one.
    private func withHosts(_ body: (_ lab: Lab, _ otherHost: String) async throws -> Void) async throws {
        try await Lab.with(.bridge, neighbours: .resolved) { lab in
            _ = try await lab.startReflector()
            try await body(lab, try lab.addHost(["\(Self.other)/24"]))
        }
    }

    private func expectGood(_ output: PeersOutput, _ lab: Lab) throws {
        try output.summary(Self.good).expectComplete(Self.count, in: try Log(lab.log(.a)))
        #expect(try output.entry(Self.good).value("error") is NSNull)
    }

    @Test func `A peer that never answers makes the exit code 2, and the other's results are whole`() async throws {
        try await withHosts { lab, _ in
            let run = try lab.startRun(.a, peers: [Self.good, Self.other], Self.options)
            #expect(try await run.exit(within: 40) == 2, "\(run.errors)")
            let output = try PeersOutput(run.output)
            try expectGood(output, lab)
            let dead = try output.summary(Self.other)
            try dead.expectBalance(due: Self.count)
            #expect(dead["counters.received"] == 0)
            #expect(dead.losses.reduce(0, +) == dead["probes.sent"])
            let entry = try output.entry(Self.other)
            #expect(entry.text("error")?.contains("No reply came from \(Self.other)") == true)
            #expect(entry.value("forward_p50_ns") is NSNull)
            #expect(run.errorLines("error: ").count == 1, "\(run.errors)")
            #expect(run.errorLines("error: No reply came from \(Self.other). Is `probe run`").count == 1)
        }
    }

    @Test func `A peer that stops in mid-run makes the exit code 10, and the other's results are whole`() async throws {
        try await withHosts { lab, host in
            let dying = try await lab.startReflector(in: host)
            let run = try lab.startRun(.a, peers: [Self.good, Self.other], Self.options)
            try await run.waitForRows(200, in: lab.log(.a))
            dying.signal(SIGKILL)
            #expect(try await run.exit(within: 40) == 10, "\(run.errors)")
            let output = try PeersOutput(run.output)
            try expectGood(output, lab)
            let stopped = try output.summary(Self.other)
            try stopped.expectBalance(due: Self.count)
            #expect(stopped["counters.received"] ?? 0 > 0)
            #expect(stopped.objects("outages").last?.value("open") as? Bool == true)
            #expect(run.errorLines("error: Replies from \(Self.other) stopped at").count == 1)
            #expect(try output.entry(Self.other).text("error")?.hasPrefix("Replies from") == true)
        }
    }

    @Test func `Peers without a path are listed with the reason, and the worst failure is the exit code`()
        async throws
    {
        try await withHosts { lab, _ in
            let run = try lab.startRun(
                .a, peers: [Self.unrouted, Self.good, Self.absent, Self.other],
                Self.options)
            #expect(try await run.exit(within: 40) == 4, "\(run.errors)")
            let output = try PeersOutput(run.output)
            #expect(output.summaries.count == 2)
            try expectGood(output, lab)
            for (peer, reason) in [(Self.unrouted, "no route to"), (Self.absent, "no answer to ARP")] {
                #expect(run.errorLines("warning: \(peer): \(reason)").count == 1, "\(run.errors)")
                #expect(run.errorLines("error: \(peer): \(reason)").count == 1)
                let entry = try output.entry(peer)
                #expect(entry.text("error")?.contains(reason) == true && entry.value("session") is NSNull)
            }
            #expect(run.errorLines("error: No reply came from \(Self.other)").count == 1)
            #expect(run.errorLines("error: 3 of 4 peers failed.").count == 1)
            let description = try RunDescription(json: Array(Data(contentsOf: URL(filePath: lab.log(.a) + ".json"))))
            #expect(description.peers.count == 4 && description.peers.count { $0["error"] != nil } == 2)
        }
    }

    @Test func `Where no peer has a path nothing is measured, and a hundred of them take seconds, not minutes`()
        async throws
    {
        try await withHosts { lab, _ in
            let start = ContinuousClock.now
            let run = try lab.startRun(.a, peers: (100..<200).map { "192.0.2.\($0)" }, Self.options)
            #expect(try await run.exit(within: 40) == 4, "\(run.errors)")
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(run.errors.contains("None of the 100 peers has a path. The first: 192.0.2.100: no answer to ARP"))
            #expect(run.output.isEmpty && run.lines.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: lab.log(.a)))
            #expect(try lab.ip(.a, "neigh show dev probe0").isEmpty, "no neighbour entry is left")
        }
    }
}

/// Tests `--peers`.
@Suite(.serialized, .needsRoot)
struct PeersFileTests {
    private func expect(
        _ lab: Lab, _ text: String?, _ more: [String] = [], exits code: Int32, saying part: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let path = lab.file("peers.txt")
        if let text { try Data(text.utf8).write(to: URL(filePath: path)) }
        let run = try lab.start(
            .a, ["run", "--interface", Lab.interface, "--peers", path, "--count", "3", "--interval", "10ms"] + more)
        #expect(try await run.exit() == code, "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.errors.contains(part), "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    }

    @Test func `A file that cannot be used is rejected with its reason before anything is sent`() async throws {
        try await Lab.with { lab in
            try await expect(lab, nil, exits: 7, saying: "peers.txt: cannot be read")
            try await expect(lab, "", exits: 64, saying: "peers.txt: lists no peer")
            try await expect(lab, "# none\r\n\r\n", exits: 64, saying: "peers.txt: lists no peer")
            try await expect(
                lab, "192.0.2.2\r\n\r\nparis 192.0.2.3\r\n", exits: 64,
                saying: "peers.txt, line 3: expected an address and a name")
            try await expect(lab, "192.0.2.2\n02:00:00:00:00:01\n", exits: 64, saying: "peers.txt, line 2: ")
            try await expect(
                lab, "192.0.2.2\nfd00::2\n", ["--source", "192.0.2.1"], exits: 64, saying: "peers.txt, line 2: --source"
            )
            let many = String(repeating: "192.0.2.2\n", count: 4097)
            try await expect(lab, many, exits: 64, saying: "4097 peers are too many for one run: at most 4096")
        }
    }

    @Test func `Peers of the file follow those of the command line, and one peer can be in both`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let path = lab.file("peers.txt")
            try Data("\(Lab.ipv4(.b)) b\n\(Lab.ipv6(.b)) b".utf8).write(to: URL(filePath: path))
            let run = try lab.startRun(
                .a, peers: [Lab.ipv4(.b)], ["--peers", path, "--count", "20", "--interval", "10ms"])
            #expect(try await run.exit() == 0, "\(run.errors)")
            let output = try PeersOutput(run.output)
            #expect(output.summaries.map { $0.text("peer") } == [Lab.ipv4(.b), Lab.ipv4(.b), Lab.ipv6(.b)])
            #expect(output.summaries.map { $0.text("name") } == [nil, "b", "b"])
            let log = try Log(lab.log(.a))
            for summary in output.summaries { try summary.expectComplete(20, in: log) }
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `A file of one peer is a run with one peer`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let path = lab.file("peers.txt")
            try Data("\(Lab.ipv4(.b)) paris".utf8).write(to: URL(filePath: path))
            let run = try lab.startRun(.a, peers: [], ["--peers", path, "--count", "20", "--interval", "10ms"])
            let summary = try await run.summary()
            #expect(summary.text("name") == "paris" && summary["socket.packets"] != nil)
            #expect(run.lines.count == 1)
            _ = try await lab.finish(reflector)
        }
    }
}
