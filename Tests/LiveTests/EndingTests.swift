import Foundation
import LinuxKernel
import Report
import Testing

/// How a run ends, and what it says then.
@Suite(.serialized, .needsRoot)
struct EndingTests {
    @Test(arguments: [SIGINT, SIGTERM])
    func `An interrupted run ends within its timeout and a second, with a summary that fits its log`(signal: Int32)
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflect(.b)
            let run = try lab.startRun(.a, .ipv4, ["--rate", "300", "--timeout", "1s"])
            try await run.waitForRows(300, in: lab.log(.a))
            let reported = ClockID.monotonic.now()
            run.signal(signal)
            let summary = try await run.summary()
            #expect(try #require(run.endTime) - reported < 2_000_000_000)

            let local = try Log(lab.log(.a))
            let sent = try #require(summary["counters.sent"])
            #expect(sent >= 150)
            #expect(local.probes.count == sent)
            #expect(local.replies.count == sent)
            #expect(summary["counters.received"] == sent)
            #expect(summary["forward.packets.sent"] == sent)
            #expect(summary["forward.packets.ok"] == local.count(.probe, .ok))
            #expect(summary["reverse.packets.ok"] == local.count(.reply, .ok))
            #expect(local.rows.allSatisfy { $0.status == .ok })
            #expect(summary["stamps.sent"] == sent + (summary["counters.uncounted_probes"] ?? 0))
            #expect(summary.value("stamps.balanced") as? Bool == true)
            reflector.signal(signal)
            #expect(try await reflector.exit() == 0)
        }
    }

    @Test func `With replies missing, an interrupted run waits for its timeout and no longer`() async throws {
        try await Lab.with(.relay) { lab in
            // All from the 60th on: nothing answers any more when the signal comes.
            let relay = try Relay(lab, fromB: { $0.sequence >= 60 ? .drop : .pass })
            defer { relay.end() }
            _ = try await lab.startReflect(.b)
            let run = try lab.startRun(.a, .ipv4, ["--rate", "100", "--timeout", "500ms"])
            try await run.waitForRows(100, in: lab.log(.a))
            try await Task.sleep(for: .milliseconds(300))
            let reported = ClockID.monotonic.now()
            run.signal(SIGINT)
            let summary = try await run.summary()
            #expect(try #require(run.endTime) - reported < 1_500_000_000)
            let sent = try #require(summary["counters.sent"])
            let received = try #require(summary["counters.received"])
            let lost = ["lost_forward", "lost_reverse", "lost_unknown"].compactMap { summary["totals.\($0)"] }
            #expect(sent > received)
            #expect(received + lost.reduce(0, +) == sent)
            #expect(try Log(lab.log(.a)).rows.count == 2 * sent)
        }
    }

    @Test func `--count sends so many probes`() async throws {
        try await expectProbes(37, ["--count", "37", "--interval", "4ms"])
    }

    @Test func `--duration with --rate sends as many probes as fall into it`() async throws {
        try await expectProbes(150, ["--duration", "750ms", "--rate", "200"])
    }

    private func expectProbes(_ count: Int, _ options: [String]) async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflect(.b)
            let summary = try await lab.startRun(.a, .ipv4, options).summary()
            // Deadlines that the host missed by far are left out, and said to be.
            let skipped = try #require(summary["counters.skipped_deadlines"])
            #expect(summary["counters.sent"] == count - skipped)
            #expect(try Log(lab.log(.a)).probes.count == count - skipped)
        }
    }

    @Test(arguments: [["--interval", "8ms"], ["--rate", "125"]]) func `Probes leave at the interval that was asked for`(
        options: [String]
    ) async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflect(.b)
            var sent: [Int64] = []
            // A host that is held up leaves deadlines out: such a run shows nothing.
            for attempt in 0..<4 where sent.isEmpty {
                let log = lab.file("spacing-\(attempt).csv")
                let run = try lab.start(
                    .a,
                    ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--output", "json", "--quiet"]
                        + ["--log", log, "--count", "100"] + options)
                guard try await run.summary()["counters.skipped_deadlines"] == 0 else { continue }
                sent = try Log(log).probes.sorted { $0.sequence < $1.sequence }.compactMap(\.transmitApp)
            }
            try #require(sent.count == 100, "held up each time")
            // The deadlines are absolute: late sends do not move those after them, so nothing adds up over the run.
            let residuals = sent.enumerated().map { $1 - sent[0] - Int64($0) * 8_000_000 }
            #expect(abs(try median(residuals[..<50]) - median(residuals[50...])) < 4_000_000)
            #expect(abs(try median(zip(sent.dropFirst(), sent).map { $0 - $1 }) - 8_000_000) < 1_000_000)
        }
    }
}
