import Foundation
import Report
import Testing

/// Tests the ports that sessions are sent from.
@Suite(.serialized, .needsRoot)
struct SourcePortTests {
    @Test(arguments: ["packet", "udp"])
    func `Sessions to one peer have a port each, and their rows and replies stay apart`(transport: String) async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", transport])
            let capture = try Capture(lab, .a)
            let run = try lab.startRun(
                .a, peers: Array(repeating: Lab.ipv4(.b), count: 3),
                ["--rate", "200", "--count", "200", "--transport", transport])
            #expect(try await run.exit() == 0, "\(run.errors)")
            let packets = capture.end()
            _ = try await lab.finish(reflector)
            let output = try PeersOutput(run.output)
            let log = try Log(lab.log(.a))
            try #require(output.summaries.count == 3)
            for summary in output.summaries { try summary.expectComplete(200, in: log) }
            let ports = output.table.objects("peers").compactMap { $0["source_port"] }
            let sent = Dictionary(grouping: packets.of(.probe, outgoing: true), by: { Int($0.frame.sourcePort) })
            #expect(Set(ports).count == 3 && Set(ports) == Set(sent.keys))
            for (summary, port) in zip(output.summaries, ports) {
                let count = try #require(summary["stamps.sent"])
                #expect(sent[port]?.count == count, "port \(port)")
            }
            for number in 1...3 { #expect(run.errorLines("192.0.2.2 #\(number): The peer is up").count == 1) }
        }
    }

    @Test(arguments: ["packet", "udp"])
    func `--source-port is seen on the wire, in one run after the other`(transport: String) async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", transport])
            let capture = try Capture(lab, .a)
            for peers in [1, 1, 3] {
                let run = try lab.startRun(
                    .a, peers: Array(repeating: Lab.ipv4(.b), count: peers),
                    ["--rate", "200", "--count", "20", "--source-port", "50000", "--transport", transport, "--force"])
                #expect(try await run.exit() == 0, "\(run.errors)")
            }
            let probes = capture.end().of(.probe, outgoing: true)
            #expect(Set(probes.map(\.frame.sourcePort)) == [50_000, 50_001, 50_002])
            #expect(probes.count { $0.frame.sourcePort == 50_000 } >= 60)
            _ = try await lab.finish(reflector)
        }
    }

    @Test(arguments: ["packet", "udp"])
    func `A source port in use exits with 6, and the message names how to find its owner`(
        transport: String
    ) async throws {
        try await Lab.with { lab in
            let other = try UDPEndpoint(lab, .a, port: 50_001)
            #expect(try other.port == 50_001)
            let cases = [
                (1, "50001", "UDP port 50001 is in use"),
                (
                    2, "50000",
                    transport == "packet" ? "UDP ports 50000 to 50001 are in use" : "UDP port 50001 is in use"
                ),
            ]
            for (count, port, message) in cases {
                let run = try lab.startRun(
                    .a, peers: Array(repeating: Lab.ipv4(.b), count: count),
                    ["--count", "3", "--source-port", port, "--transport", transport, "--port", "8620"])
                #expect(try await run.exit() == 6, "\(run.errors)")
                for part in [message, "ss -lunp", "--source-port"] {
                    #expect(run.errors.contains(part), "\(part): \(run.errors)")
                }
            }
        }
    }

    @Test func `Source ports beyond the last one, or across the reflectors' port, are rejected`() async throws {
        try await Lab.with { lab in
            for port in ["65535", "861"] {
                let run = try lab.startRun(
                    .a, peers: [Lab.ipv4(.b), Lab.ipv4(.b)], ["--count", "3", "--source-port", port])
                #expect(try await run.exit() == 64, "\(run.errors)")
                #expect(run.errors.contains("Choose another `--source-port`"))
            }
        }
    }
}
