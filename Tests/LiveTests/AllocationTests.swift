import Foundation
import Testing

/// Tests that the threads of packets and rows allocate nothing per packet: their allocations do not depend on the number
/// of probes.
@Suite(.serialized, .needsRoot)
struct AllocationTests {
    private static let counter = ProcessInfo.processInfo.environment["PROBE_ALLOCATION_COUNTER"]
    private static let reason: Comment =
        "PROBE_ALLOCATION_COUNTER is not set: scripts/test builds the library that counts allocations, and sets it"

    /// A kind of run: its peers, whether both sides write a log, and its options for frames without IP.
    struct Setting: Sendable, CustomTestStringConvertible {
        var peers = [Lab.ipv4(.b)]
        var isLogged = false
        var l2: [String]?

        var testDescription: String {
            "\(peers.count) peers\(isLogged ? ", with log" : "")\(l2 == nil ? "" : ", without IP")"
        }
    }

    /// Measures once, and returns the allocations by thread name of the sender's and the reflector's process.
    private func count(
        probes: Int, _ setting: Setting
    ) async throws -> (sender: [String: Int], reflector: [String: Int]) {
        var counts: (sender: [String: Int], reflector: [String: Int]) = ([:], [:])
        try await Lab.with { lab in
            func counted(_ side: Lab.Side, _ arguments: [String]) throws -> ProbeProcess {
                try lab.start(
                    side,
                    arguments + (setting.l2.map { ["--transport", "l2"] + $0 } ?? [])
                        + ["--interface", Lab.interface, "--output", "json", "--quiet"]
                        + (setting.isLogged ? ["--log", lab.log(side)] : []),
                    environment: [
                        "LD_PRELOAD": Self.counter ?? "", "PROBE_ALLOCATION_FILE": lab.file(side.rawValue),
                    ])
            }
            let reflector = try counted(.b, ["reflect"])
            try await reflector.waitForError("Answering")
            let run = try counted(
                .a, ["run", "--rate", "2000", "--count", "\(probes)"] + setting.peers.flatMap { ["--peer", $0] })
            let code = try await run.exit(within: 30)
            #expect(code == 0, "\(run.errors)")
            let sent = try run.output.split(separator: "\n").filter { $0.contains("\"type\":\"summary\"") }.map {
                try Summary(lastLineOf: String($0))["counters.sent"] ?? 0
            }
            #expect(sent.count == setting.peers.count && sent.allSatisfy { $0 > probes * 9 / 10 })
            _ = try await lab.finish(reflector)
            counts = (try read(lab.file("a")), try read(lab.file("b")))
        }
        return counts
    }

    private func read(_ path: String) throws -> [String: Int] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count >= 2 ? Int(words[1]).map { (String(words[0]), $0) } : nil
            }, uniquingKeysWith: +)
    }

    @Test(
        .enabled(if: counter != nil, reason),
        arguments: [
            Setting(), Setting(isLogged: true), Setting(peers: [Lab.mac(.b)], l2: ["--frame", "ptp", "--vlan", "7"]),
            Setting(peers: [Lab.ipv4(.b), Lab.ipv6(.b)], isLogged: true),
        ])
    func `Ten thousand more probes cause no allocation on the threads of packets and rows`(
        _ setting: Setting
    ) async throws {
        let few = try await count(probes: 2000, setting)
        let many = try await count(probes: 12_000, setting)
        // The runtime creates each type's metadata once, on the first thread that needs it: up to 9 were seen to move.
        // The recorder's histograms grow with the spread of the delays, in ever larger steps.
        for (thread, few, many, limit) in [
            ("probe-endpoint", few.sender, many.sender, 20), ("probe-endpoint", few.reflector, many.reflector, 20),
            ("probe-recorder", few.sender, many.sender, 20 + 20 * setting.peers.count),
            ("probe-recorder", few.reflector, many.reflector, 20),
        ] {
            let more = try #require(many[thread], "\(thread) is missing among \(many)")
            let less = try #require(few[thread], "\(thread) is missing among \(few)")
            #expect(abs(more - less) <= limit, "\(thread): \(less), then \(more)")
        }
        // The counter works: starting the threads allocates.
        #expect(many.sender.values.reduce(0, +) > 100)
    }
}
