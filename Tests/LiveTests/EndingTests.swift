import Foundation
import LinuxKernel
import Report
import Testing

/// Tests when a run ends, and what it reports then.
@Suite(.serialized, .needsRoot)
struct EndingTests {
    @Test(arguments: [SIGINT, SIGTERM])
    func `An interrupted run ends within its timeout and a second, and its summary matches its log`(signal: Int32)
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflect(.b)
            let run = try lab.startRun(.a, .ipv4, ["--rate", "300", "--timeout", "1s"])
            try await run.waitForRows(300, in: lab.log(.a))
            let signalled = ClockID.monotonic.now()
            run.signal(signal)
            let summary = try await run.summary()
            #expect(try #require(run.endTime) - signalled < 2_000_000_000)

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
            // The same without the library's reader.
            #expect(try LogTable(lab.log(.a)).rows.map { $0["status"] } == Array(repeating: "ok", count: 2 * sent))
            #expect(summary["stamps.sent"] == sent + (summary["counters.uncounted_probes"] ?? 0))
            #expect(summary.value("stamps.balanced") as? Bool == true)
            reflector.signal(signal)
            #expect(try await reflector.exit() == 0)
        }
    }

    @Test func `With replies missing, an interrupted run waits no longer than its timeout`() async throws {
        try await Lab.with(.relay) { lab in
            // From the 60th on, no probe has a reply: replies are missing when the signal arrives.
            let dropped = Counter()
            let relay = try Relay(
                lab,
                fromB: { frame in
                    guard frame.kind == .reply, frame.sequence >= 60 else { return .pass }
                    dropped.increment()
                    return .drop
                })
            defer { relay.end() }
            _ = try await lab.startReflect(.b)
            let run = try lab.startRun(.a, .ipv4, ["--rate", "100", "--timeout", "500ms"])
            try await waitFor("20 dropped replies; standard error: \(run.errors)", within: 15) {
                dropped.value >= 20 ? () : nil
            }
            let signalled = ClockID.monotonic.now()
            run.signal(SIGINT)
            let summary = try await run.summary()
            #expect(try #require(run.endTime) - signalled < 1_500_000_000)
            let sent = try #require(summary["counters.sent"])
            let received = try #require(summary["counters.received"])
            let lost = ["lost_forward", "lost_reverse", "lost_unknown"].compactMap { summary["totals.\($0)"] }
            #expect(sent > received)
            #expect(received + lost.reduce(0, +) == sent)
            #expect(try Log(lab.log(.a)).rows.count == 2 * sent)
        }
    }

    @Test func `--count sets the number of probes`() async throws {
        try await expectProbes(37, ["--count", "37", "--interval", "4ms"])
    }

    @Test func `--duration and --rate together set the number of probes`() async throws {
        try await expectProbes(150, ["--duration", "750ms", "--rate", "200"])
    }

    private func expectProbes(_ count: Int, _ options: [String]) async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflect(.b)
            let summary = try await lab.startRun(.a, .ipv4, options).summary()
            // Deadlines that the host missed by far are skipped, and counted.
            let skipped = try #require(summary["counters.skipped_deadlines"])
            #expect(summary["counters.sent"] == count - skipped)
            #expect(try Log(lab.log(.a)).probes.count == count - skipped)
        }
    }

    @Test(arguments: [["--interval", "8ms"], ["--rate", "125"]]) func `Probes leave at the requested interval`(
        options: [String]
    ) async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflect(.b)
            var sent: [Int64] = []
            // When the host stalls, the run skips deadlines and shows nothing: it is repeated.
            for attempt in 0..<4 where sent.isEmpty {
                let log = lab.file("interval-\(attempt).csv")
                let run = try lab.start(
                    .a,
                    ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--output", "json", "--quiet"]
                        + ["--log", log, "--count", "100"] + options)
                guard try await run.summary()["counters.skipped_deadlines"] == 0 else { continue }
                sent = try Log(log).probes.sorted { $0.sequence < $1.sequence }.compactMap(\.transmitApp)
            }
            try #require(sent.count == 100, "each attempt skipped deadlines")
            // Deadlines are absolute: a late send does not move later ones, so lateness does not accumulate.
            let residuals = sent.enumerated().map { $1 - sent[0] - Int64($0) * 8_000_000 }
            #expect(abs(try median(residuals[..<50]) - median(residuals[50...])) < 4_000_000)
            #expect(abs(try median(zip(sent.dropFirst(), sent).map { $0 - $1 }) - 8_000_000) < 1_000_000)
        }
    }
}
