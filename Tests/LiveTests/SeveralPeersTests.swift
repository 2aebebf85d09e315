import Foundation
import Report
import Testing

/// Tests runs with several peers, and several instances on one interface.
@Suite(.serialized, .needsRoot)
struct SeveralPeersTests {
    private static let peers = ["192.0.2.2", "192.0.2.3", "2001:db8::2"]

    /// Runs `body` with a lab of three hosts on a bridge: `a`, `b` with 192.0.2.2 and 2001:db8::2, and 192.0.2.3.
    private func withHosts(_ body: (_ lab: Lab, _ third: String) async throws -> Void) async throws {
        try await Lab.with(.bridge, neighbours: .resolved) { lab in
            try lab.ip(.a, "addr add 2001:db8::1/64 dev probe0 nodad")
            try lab.ip(.b, "addr add 2001:db8::2/64 dev probe0 nodad")
            try await body(lab, try lab.addHost(["192.0.2.3/24"]))
        }
    }

    @Test func `Three peers are measured beside a reflector on the same interface, which keeps answering`()
        async throws
    {
        try await withHosts { lab, third in
            _ = try await lab.startReflector()
            _ = try await lab.startReflector(in: third)
            let daemon = try await lab.startReflect(.a)
            let run = try lab.startRun(.a, peers: Self.peers, ["--rate", "100", "--duration", "5s"])
            let client = try UDPEndpoint(lab, .b)
            try await run.waitForRows(200, in: lab.log(.a))
            #expect(try client.exchange(Bytes.probe(1), Lab.ipv4(.a)).count == 44, "the daemon answers meanwhile")
            #expect(try await run.exit(within: 30) == 0, "\(run.errors)")

            let line = "is in use by pid \(daemon.id) (probe reflect): this run measures without answering"
            #expect(run.errorLines(line).count == 1, "\(run.errors)")
            for peer in Self.peers { #expect(run.errorLines("\(peer): The peer is up").count == 1) }
            let output = try PeersOutput(run.output)
            let log = try Log(lab.log(.a))
            #expect(output.summaries.map { $0.text("peer") } == Self.peers)
            for peer in Self.peers {
                let summary = try output.summary(peer)
                try summary.expectComplete(500, in: log)
                #expect(summary.value("socket") == nil && summary.value("reply_stamps") == nil)
                #expect(summary.value("counters.packet_thread_cpu_ns") == nil)
                let entry = try output.entry(peer)
                #expect(entry["sent"] == summary["probes.sent"] && entry.value("error") is NSNull)
                #expect(entry["forward_p50_ns"] == summary["forward.delay.p50_ns"])
                #expect(entry["reverse_p99_ns"] == summary["reverse.delay.p99_ns"])
                #expect(entry["rtt_p99_ns"] == summary["rtt.p99_ns"])
                #expect(entry.text("session") == summary.text("session"))
            }
            #expect(Set(log.rows.map(\.session)).count == 3 && log.rows.allSatisfy { $0.direction != nil })
            let received = output.summaries.compactMap { $0["counters.received"] }.reduce(0, +)
            #expect(output.table["endpoint.socket.packets"] ?? 0 >= received)
            #expect(output.table["endpoint.counters.packet_thread_cpu_ns"] ?? 0 > 0)
            #expect(output.table["endpoint.counters.reflector_probes"] == 0)

            let description = try RunDescription(json: Array(Data(contentsOf: URL(filePath: lab.log(.a) + ".json"))))
            #expect(description.peers.compactMap { $0["address"]?.text } == Self.peers)
            #expect(description.peers.compactMap { $0["session"]?.text } == output.summaries.map { $0.text("session") })
            #expect(description["relative"] == nil && description.peers.allSatisfy { $0["clock_note"] != nil })

            let answered = try await lab.finish(daemon)
            #expect(answered["probes"] == 1 && answered["replies"] == 1)
        }
    }

    @Test func `The text has a summary for each peer, a table in 80 columns, and the endpoint's facts once`()
        async throws
    {
        try await withHosts { lab, third in
            _ = try await lab.startReflector()
            _ = try await lab.startReflector(in: third)
            let list = lab.file("peers.txt")
            try Data("# hosts\r\n192.0.2.2 paris\r\n\r\n192.0.2.3  # no name\r\n2001:db8::2 oslo\r\n".utf8)
                .write(to: URL(filePath: list))
            let run = try lab.start(
                .a,
                [
                    "run", "--interface", Lab.interface, "--peers", list, "--count", "20", "--interval", "10ms",
                    "--quiet",
                ])
            #expect(try await run.exit() == 0, "\(run.errors)")
            #expect(run.errorLines("paris (192.0.2.2): The peer is up").count == 1, "\(run.errors)")
            let lines = run.lines
            #expect(lines.allSatisfy { $0.count <= 80 })
            #expect(lines.count { $0.hasPrefix("session ") } == 3)
            #expect(lines.contains { $0.contains(" to paris (192.0.2.2) over probe0") })
            let table = lines.drop { !$0.hasPrefix("peer ") }
            #expect(table.dropFirst().prefix(3).map { $0.split(separator: " ")[0] } == ["paris", "192.0.2.3", "oslo"])
            #expect(table.dropFirst().prefix(3).allSatisfy { $0.split(separator: " ")[1...2] == ["20", "0%"] })
            #expect(lines.count { $0.hasPrefix("socket: ") } == 1)
            #expect(table.contains("all sessions over probe0"))
        }
    }

    @Test func `Two runs on one interface measure at once, and only the first answers`() async throws {
        try await withHosts { lab, third in
            _ = try await lab.startReflector()
            _ = try await lab.startReflector(in: third)
            let first = try lab.startRun(.a, ["--rate", "200"])
            try await first.waitForRows(50, in: lab.log(.a))
            let log = lab.file("second.csv")
            let second = try lab.start(
                .a,
                ["run", "--interface", Lab.interface, "--peer", "192.0.2.3", "--rate", "200", "--count", "200"]
                    + ["--output", "json", "--quiet", "--log", log])
            let summary = try await second.summary()
            #expect(second.errorLines("by pid \(first.id) (probe run): this run measures without").count == 1)
            try summary.expectComplete(200, in: try Log(log))
            let client = try UDPEndpoint(lab, .b)
            #expect(try client.exchange(Bytes.probe(1), Lab.ipv4(.a)).count == 44, "the first answers its peer")
            let other = try await lab.finish(first)
            #expect(other.losses == [0, 0, 0] && other["counters.received"] == other["probes.sent"])
            #expect(other["counters.reflector_probes"] == 1)
        }
    }

    @Test func `A run with --no-reflect leaves the port to another instance, and answers nothing`() async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflector()
            let run = try lab.startRun(.a, ["--rate", "200", "--no-reflect"])
            try await run.waitForRows(50, in: lab.log(.a))
            let daemon = try await lab.startReflect(.a)
            let client = try UDPEndpoint(lab, .b)
            _ = try client.exchange(Bytes.probe(1), Lab.ipv4(.a))
            #expect(try await lab.finish(daemon)["replies"] == 1)
            client.send(Bytes.probe(2), to: Lab.ipv4(.a))
            #expect(client.receive(within: 100) == nil, "no one answers")
            let summary = try await lab.finish(run)
            #expect(summary["counters.reflector_probes"] == 0 && summary.losses == [0, 0, 0])
            #expect(run.errorLines("in use").isEmpty)
        }
    }

    @Test func `Where another program has the port, a run says so and exits with 6`() async throws {
        try await Lab.with { lab in
            // It has only the IPv6 port: this run's own IPv4 port does not make it the owner.
            let other = try lab.start(
                .a,
                program: [
                    "python3", "-uc",
                    "import socket, signal; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); "
                        + "s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1); s.bind(('', 862)); "
                        + "print('ready'); signal.pause()",
                ])
            try await other.waitForOutput("ready")
            let run = try lab.startRun(.a, peers: [Lab.ipv4(.b), Lab.ipv6(.b)], ["--count", "3"])
            #expect(try await run.exit() == 6, "\(run.errors)")
            #expect(run.errors.contains("UDP port 862 is in use") && run.errors.contains("ss -lunp"))
        }
    }
}
