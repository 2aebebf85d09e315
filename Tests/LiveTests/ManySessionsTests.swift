import Foundation
import Report
import Testing

/// Tests many sessions through one endpoint.
@Suite(.serialized, .needsRoot)
struct ManySessionsTests {
    private static let addresses = (10..<210).map { "192.0.2.\($0)" }

    /// Gives `b` 200 further addresses.
    private func addAddresses(_ lab: Lab) throws {
        try Command.ip(Self.addresses.map { "addr add \($0)/24 dev probe0" }, in: lab.namespace(.b))
    }

    private func descriptors(_ process: ProbeProcess) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count
    }

    @Test func `200 peers are all answered, with as many descriptors as one`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            try addAddresses(lab)
            let reflector = try await lab.startReflector()
            var counts: [Int] = []
            for peers in [Array(Self.addresses.prefix(1)), Self.addresses] {
                let run = try lab.startRun(.a, peers: peers, ["--rate", "10", "--count", "30", "--force"])
                try await run.waitForRows(20 * peers.count, in: lab.log(.a))
                counts.append(try descriptors(run))
                #expect(try await run.exit(within: 40) == 0, "\(run.errors)")
                #expect(run.errors.split(separator: "\n").count < 60, "a few lines are readable: \(run.errors)")
                guard peers.count > 1 else { continue }
                let output = try PeersOutput(run.output)
                #expect(output.summaries.map { $0.text("peer") } == peers)
                let log = try Log(lab.log(.a))
                #expect(Set(log.rows.map(\.session)).count == 200)
                for summary in output.summaries { try summary.expectComplete(30, in: log) }
                #expect(Set(output.table.objects("peers").map { $0["source_port"] }).count == 1, "one port for all")
            }
            #expect(counts.count == 2 && counts[0] == counts[1], "\(counts)")
            let answered = try await lab.finish(reflector)
            #expect(answered["sessions"] == 201 && answered["sessions_refused"] == 0)
        }
    }

    @Test func `A reflector with 200 addresses answers them, and no packet that its host only forwards`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            try addAddresses(lab)
            try lab.run(.b, ["sysctl", "-q", "net.ipv4.ip_forward=1"])
            let reflector = try await lab.startReflector()
            let client = try UDPEndpoint(lab, .a)
            for address in [Lab.ipv4(.b)] + Self.addresses {
                #expect(try client.exchange(Bytes.probe(1), address).count == 44, "\(address)")
            }
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let port = try client.port
            for number in 0..<20 as Range<UInt32> {
                socket.send(
                    Bytes.frame(
                        Bytes.probe(number), from: .a, sourcePort: port, destinationPort: 862,
                        destination: "198.51.100.7"))
            }
            #expect(client.receive(within: 200) == nil, "forwarded packets are not answered")
            #expect(try client.exchange(Bytes.probe(2), Lab.ipv4(.b)).count == 44)
            let summary = try await lab.finish(reflector)
            #expect(summary["replies"] == 202 && summary["stray"] == 20)
        }
    }

    @Test func `Hostile packets to the ports of many sessions are counted, and change no result`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(
                .a, peers: Array(repeating: Lab.ipv4(.b), count: 20),
                ["--rate", "50", "--count", "150", "--source-port", "50000"])
            try await run.waitForRows(400, in: lab.log(.a))
            let socket = try RawSocket(namespace: lab.namespace(.b), interface: Lab.interface)
            var random = RepeatableRandom(seed: 12)
            for number in 0..<100 as Range<UInt32> {
                func send(
                    _ payload: [UInt8], to port: UInt16, from source: String = Lab.ipv4(.b), _ sourcePort: UInt16 = 862
                ) {
                    socket.send(
                        Bytes.frame(payload, from: .b, sourcePort: sourcePort, destinationPort: port, source: source))
                }
                let port = 50_000 + UInt16(number % 20)
                // From another host; from the peer, but too short, or to a probe that was never sent.
                send(Bytes.reply(to: Bytes.probe(number)), to: port, from: "192.0.2.99")
                send(random.bytes(Int(number) % 38), to: port)
                send(Bytes.reply(to: Bytes.probe(1_000_000 + number)), to: port)
                // The filter passes neither another source port nor a port of no session.
                send(Bytes.reply(to: Bytes.probe(number)), to: port, 863)
                send(Bytes.reply(to: Bytes.probe(number)), to: 50_020)
            }
            #expect(try await run.exit(within: 30) == 0, "\(run.errors)")
            let output = try PeersOutput(run.output)
            let log = try Log(lab.log(.a))
            for summary in output.summaries {
                try summary.expectComplete(150, in: log)
                #expect(summary["counters.short"] == 5)
                #expect((summary["counters.stray"] ?? 0) + (summary["counters.wrong_session"] ?? 0) == 5)
            }
            #expect(output.table["endpoint.counters.stray"] == 100)
            #expect(run.errorLines("warning").isEmpty, "\(run.errors)")
            _ = try await lab.finish(reflector)
        }
    }
}
