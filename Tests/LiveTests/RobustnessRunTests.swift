import Foundation
import Glibc
import Report
import Testing

/// Tests faults during a run: the run continues and counts them, or ends with a summary.
@Suite(.serialized, .needsRoot)
struct RobustnessRunTests {
    private static let json = ["--output", "json", "--quiet"]

    /// Expects exactly one probe row and one reply row for each probe that was sent or refused.
    private func requireAllRows(_ log: Log, _ summary: Summary) {
        let (sent, notSent) = (summary["probes.sent"] ?? -1, summary["probes.not_sent"] ?? -1)
        #expect(sent == summary["counters.sent"])
        #expect(log.probes.count == sent + notSent && log.replies.count == sent + notSent)
        #expect(log.count(.probe, .notSent) == notSent)
        #expect(Set(log.probes.map(\.sequence)).count == sent + notSent)
        #expect(summary["probes.due"] == sent + notSent + (summary["probes.skipped"] ?? -1))
        #expect(summary.value("stamps.balanced") as? Bool == true)
    }

    /// Waits until `a` has logged 200 more rows.
    private func waitForMoreRows(_ run: ProbeProcess, _ lab: Lab) async throws {
        let rows = FileManager.default.contents(atPath: lab.log(.a))?.count { $0 == UInt8(ascii: "\n") }
        try await run.waitForRows((rows ?? 0) + 200, in: lab.log(.a))
    }

    @Test func `A run continues when its interface goes down and up, and counts the failed sends`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "200", "--timeout", "300ms"])
            try await run.waitForRows(100, in: lab.log(.a))
            try lab.ip(.a, "link set probe0 down")
            try await run.waitForError("refused to send a probe: Network is down")
            try lab.ip(.a, "link set probe0 up")
            try lab.ip(.a, "neigh replace \(Lab.ipv4(.b)) lladdr \(Lab.mac(.b)) dev probe0 nud permanent")
            try await run.waitForError("Sending probes works again")
            let summary = try await lab.finish(run)
            _ = try await lab.finish(reflector)
            #expect(summary["send_errors"] ?? 0 > 0)
            #expect(summary["counters.received"] ?? 0 >= 50)
            #expect(run.errors.contains("Receiving replies failed: Network is down"))
            requireAllRows(try Log(lab.log(.a)), summary)
        }
    }

    @Test func `A run continues when the peer's link goes down and up, and no packet is counted twice`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "200", "--timeout", "300ms"])
            try await run.waitForRows(100, in: lab.log(.a))
            try lab.ip(.b, "link set probe0 down")
            try await reflector.waitForError("Receiving probes failed: Network is down")
            try lab.ip(.b, "link set probe0 up")
            try lab.ip(.b, "neigh replace \(Lab.ipv4(.a)) lladdr \(Lab.mac(.a)) dev probe0 nud permanent")
            try await waitForMoreRows(run, lab)
            let summary = try await lab.finish(run)
            let reflected = try await lab.finish(reflector)
            let sent = try #require(summary["counters.sent"])
            let received = try #require(summary["counters.received"])
            #expect(received > 100 && received <= sent)
            #expect(reflected["replies"] ?? 0 >= received)
            requireAllRows(try Log(lab.log(.a)), summary)
        }
    }

    @Test func `A deleted interface ends the run with exit code 3, a summary and a whole log`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "200", "--timeout", "300ms"])
            try await run.waitForRows(100, in: lab.log(.a))
            // Deletes both ends of the veth pair.
            try lab.ip(.a, "link del probe0")
            #expect(try await run.exit() == 3)
            #expect(run.errors.contains("probe0 went away"))
            let summary = try Summary(lastLineOf: run.output)
            #expect(summary["counters.received"] ?? 0 >= 50)
            requireAllRows(try Log(lab.log(.a)), summary)
            #expect(try await reflector.exit() == 3)
            #expect(reflector.errors.contains("probe0 went away"))
            #expect(try Summary(lastLineOf: reflector.output)["replies"] ?? 0 >= 50)
        }
    }

    @Test func `A run continues when the peer restarts, and loses only the probes sent in its absence`() async throws {
        try await Lab.with { lab in
            let first = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "200", "--timeout", "300ms"])
            try await run.waitForRows(200, in: lab.log(.a))
            let before = try await lab.finish(first)
            let second = try await lab.startReflector()
            try await run.waitForError("reflector restarted")
            try await waitForMoreRows(run, lab)
            let summary = try await lab.finish(run)
            let after = try await lab.finish(second)
            #expect(summary["counters.peer_restarts"] == 1)
            let received = try #require(summary["counters.received"])
            #expect(received > 150)
            // Every reply that was sent was received; opening and closing probes get replies too.
            let answered = (before["replies"] ?? 0) + (after["replies"] ?? 0)
            #expect(received <= answered && answered <= received + (summary["counters.uncounted_probes"] ?? 0))
            let log = try Log(lab.log(.a))
            requireAllRows(log, summary)
            #expect(log.count(.reply, .ok) == received)
            #expect(log.count(.reply, .reordered) == 0 && log.count(.probe, .reordered) == 0)
            #expect(log.count(.probe, .duplicate) == 0)
        }
    }

    @Test func `Without a peer the run exits with 2, after all probes were sent`() async throws {
        try await Lab.with { lab in
            let run = try lab.startRun(.a, .ipv4, ["--interval", "10ms", "--count", "5", "--timeout", "100ms"])
            #expect(try await run.exit() == 2)
            #expect(run.errors.contains("No answer yet"))
            #expect(run.errors.contains("No reply came from \(Lab.ipv4(.b))"))
            let summary = try Summary(lastLineOf: run.output)
            #expect(summary["counters.sent"] == 5)
            let log = try Log(lab.log(.a))
            #expect(log.count(.probe, .unknown) == 5 && log.count(.reply, .unknown) == 5)
        }
    }

    @Test func `A run waits for a peer that starts late, and loses nothing`() async throws {
        try await Lab.with { lab in
            let run = try lab.startRun(.a, .ipv4, ["--interval", "5ms", "--count", "50"])
            try await run.waitForError("No answer yet")
            let reflector = try await lab.startReflector()
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)
            #expect(summary["counters.sent"] ?? 0 > 0)
            #expect(summary["counters.received"] == summary["counters.sent"])
        }
    }

    @Test func `A full disk leaves a log that ends with a whole line, and the run exits with 7 and a summary`()
        async throws
    {
        try await Lab.with { lab in
            let disk = lab.file("disk")
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
            try Command.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk])
            defer { _ = try? Command.run(["umount", "-l", disk]) }
            let reflector = try await lab.startReflector()
            let path = disk + "/log.csv"
            let run = try lab.start(
                .a,
                ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--rate", "1000", "--count", "800"]
                    + Self.json + ["--log", path])
            #expect(try await run.exit() == 7)
            #expect(run.errors.contains("No space left on device"))
            #expect(run.errors.contains(path))
            #expect(
                try Summary(lastLineOf: run.output)["counters.received"] ?? 0 > 400, "the run continues without its log"
            )
            #expect(try Log(path).rows.count > 50)
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `A closed, full or partly read standard output does not affect the log`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let redirections = [">&-": 0, ">&- 2>&- <&-": 0, "2>&-": 0, ">/dev/full": 7, "| head -1": 0]
            for (position, (redirection, code)) in redirections.sorted(by: { $0.key < $1.key }).enumerated() {
                let log = lab.file("stdout-\(position).csv")
                let command =
                    "set -o pipefail; \(ProbeProcess.binary) run --interface \(Lab.interface) --peer \(Lab.ipv4(.b)) "
                    + "--interval 2ms --count 100 --log \(log) \(redirection)"
                let run = try lab.start(.a, program: ["bash", "-c", command])
                #expect(try await run.exit() == Int32(code), "\(redirection): \(run.errors)")
                let rows = try Log(log).rows.count
                #expect(rows > 100 && rows % 2 == 0, "\(redirection): the log is complete")
            }
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `The first interrupt waits for replies, the second ends the run at once, both with a summary`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "100", "--timeout", "60s"])
            try await run.waitForRows(50, in: lab.log(.a))
            // Stopped, so that replies are missing at the first interrupt.
            reflector.signal(SIGSTOP)
            let stopped = try run.transmittedFrames(Lab.interface)
            try await waitFor("10 probes without a reply", within: 5) {
                try run.transmittedFrames(Lab.interface) > stopped + 10 ? () : nil
            }
            run.signal(SIGINT)
            let first = try run.transmittedFrames(Lab.interface)
            try await waitFor("20 closing probes", within: 5) {
                try run.transmittedFrames(Lab.interface) > first + 20 ? () : nil
            }
            #expect(run.exitCode == nil, "it waits for the missing replies")
            run.signal(SIGINT)
            #expect(try await run.exit(within: 3) == 0)
            let summary = try Summary(lastLineOf: run.output)
            let log = try Log(lab.log(.a))
            #expect(log.count(.probe, .unknown) > 0, "probes without a reply are unknown")
            requireAllRows(log, summary)
            reflector.signal(SIGCONT)
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `A run follows a next hop whose MAC address changes`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "100", "--timeout", "300ms"])
            try await run.waitForRows(50, in: lab.log(.a))
            let new = "02:00:00:00:08:99"
            try lab.ip(.b, "link set probe0 address \(new)")
            try lab.ip(.a, "neigh replace \(Lab.ipv4(.b)) lladdr \(new) dev probe0 nud permanent")
            try await run.waitForErrorLine("The next hop's MAC address is now \(new)")
            try await waitForMoreRows(run, lab)
            run.signal(SIGINT)
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)
            let log = try Log(lab.log(.a))
            requireAllRows(log, summary)
            let last = log.replies.sorted { $0.sequence < $1.sequence }.suffix(20)
            #expect(last.allSatisfy { $0.status == .ok }, "the probes reach the new address")
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6])
    func `A run resolves its next hop in an empty neighbour table, and removes the entry`(_ family: Lab.Family)
        async throws
    {
        try await Lab.with(neighbours: .resolved) { lab in
            let reflector = try await lab.startReflector()
            try lab.ip(.a, "neigh flush dev probe0")
            let run = try lab.startRun(.a, family, ["--interval", "5ms", "--count", "20"])
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)
            #expect(summary["counters.sent"] ?? 0 > 0)
            #expect(summary["counters.received"] == summary["counters.sent"])
            #expect(try !lab.ip(.a, "neigh show \(family.address(.b)) dev probe0").contains("lladdr"))
        }
    }
}
