import Foundation
import Testing

/// Tests that the packet threads allocate nothing per packet: their allocations do not depend on the number of probes.
@Suite(.serialized, .needsRoot)
struct AllocationTests {
    private static let counter = ProcessInfo.processInfo.environment["PROBE_ALLOCATION_COUNTER"]
    private static let reason: Comment =
        "PROBE_ALLOCATION_COUNTER is not set: scripts/test builds the library that counts allocations, and sets it"

    /// Measures once, and returns the allocations by thread name of the sender's and the reflector's process.
    private func count(
        probes: Int, logged: Bool, _ l2: [String]?
    ) async throws -> (sender: [String: Int], reflector: [String: Int]) {
        var counts: (sender: [String: Int], reflector: [String: Int]) = ([:], [:])
        try await Lab.with { lab in
            func counted(_ side: Lab.Side, _ arguments: [String]) throws -> ProbeProcess {
                try lab.start(
                    side,
                    arguments + (l2.map { ["--transport", "l2"] + $0 } ?? [])
                        + ["--interface", Lab.interface, "--output", "json", "--quiet"],
                    environment: [
                        "LD_PRELOAD": Self.counter ?? "", "PROBE_ALLOCATION_FILE": lab.file(side.rawValue),
                    ])
            }
            let reflector = try counted(.b, ["reflect"] + (logged ? ["--log", lab.log(.b)] : []))
            try await reflector.waitForError("Answering")
            let run = try counted(
                .a,
                ["run", "--peer", l2 == nil ? Lab.ipv4(.b) : Lab.mac(.b), "--rate", "2000", "--count", "\(probes)"]
                    + (logged ? ["--log", lab.log(.a)] : []))
            let summary = try await run.summary(within: 30)
            #expect(summary["counters.sent"] ?? 0 > probes * 9 / 10)
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
        arguments: [(false, nil), (true, nil), (false, ["--frame", "ptp", "--vlan", "7"])] as [(Bool, [String]?)])
    func `Ten thousand more probes cause no allocation on the packet thread of either side`(
        _ logged: Bool, _ l2: [String]?
    ) async throws {
        let few = try await count(probes: 2000, logged: logged, l2)
        let many = try await count(probes: 12_000, logged: logged, l2)
        for (thread, few, many) in [
            ("probe-endpoint", few.sender, many.sender), ("probe-endpoint", few.reflector, many.reflector),
        ] {
            let more = try #require(many[thread], "\(thread) is missing among \(many)")
            let less = try #require(few[thread], "\(thread) is missing among \(few)")
            // The runtime creates each type's metadata once, on the first thread that needs it: up to 9 were seen to move.
            #expect(abs(more - less) <= 20, "\(thread): \(less), then \(more)")
        }
        // The counter works: starting the threads allocates.
        #expect(many.sender.values.reduce(0, +) > 100)
    }
}
