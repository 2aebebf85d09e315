import Report
import Testing

/// Packets that a kernel refuses to send, and interfaces that take fewer timestamps.
extension OutageTests {
    private static let udp = ["--transport", "udp", "--port", "8620"]

    /// nftables rules that match what a side sends from or to port 8620.
    private static func output(_ rule: String) -> String {
        """
        table ip refusal {
            chain out {
                type filter hook output priority 0
                udp \(rule) drop
            }
        }
        """
    }

    /// Rules that refuse every third probe, by its sequence number: bytes 2 and 3 of the UDP payload (RFC 8762 section
    /// 4.2.1). What is sent again after a failed batch is refused again.
    private static let everyThirdProbe = output(
        "dport 8620 @th,80,16 { \(stride(from: 0, to: 900, by: 3).map(String.init).joined(separator: ", ")) }")

    @Test func `Probes that a firewall refuses are not sent, with EPERM, and not lost`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(Self.udp)
            try lab.nft(.a, Self.everyThirdProbe)
            let run = try lab.startRun(.a, .ipv4, Self.udp + ["--rate", "200", "--count", "300"])
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)

            try summary.expectBalance(due: 300)
            let numbered = 300 - (summary["probes.skipped"] ?? 0)
            let log = try Log(lab.log(.a))
            log.expectRows(numbered)
            let refused = log.probes.filter { $0.status == .notSent }
            #expect((numbered / 3...(numbered + 2) / 3).contains(refused.count))
            #expect(log.probes.allSatisfy { ($0.status == .notSent) == ($0.sequence % 3 == 0) })
            #expect(refused.allSatisfy { $0.sendError == 1 }, "EPERM")
            #expect(summary["probes.not_sent"] == refused.count)
            #expect(summary.losses == [0, 0, 0])
            #expect(summary["counters.received"] == numbered - refused.count)
            #expect(log.count(.reply, .ok) == numbered - refused.count)
            #expect(log.count(.reply, .absent) == refused.count)
            #expect(summary.objects("outages").isEmpty, "two of three probes are answered")
            // One failure, although probes in between are sent.
            #expect(run.errorLines("The kernel refused to send a probe: Operation not permitted").count == 1)
            #expect(run.errorLines("Sending probes works again").isEmpty)
        }
    }

    @Test func `The text summary opens with the losses, then with the probes that were due`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(Self.udp)
            try lab.nft(.a, Self.everyThirdProbe)
            var lines: [Substring] = []
            // If the host stalls, the run skips deadlines: it is repeated.
            for _ in 0..<4 where lines.isEmpty {
                let run = try lab.start(
                    .a,
                    ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--quiet"] + Self.udp
                        + ["--rate", "100", "--count", "60"])
                #expect(try await run.exit() == 0)
                if !run.output.contains("skipped") { lines = run.lines }
            }
            _ = try await lab.finish(reflector)
            try #require(lines.count > 3, "each attempt skipped deadlines")
            #expect(lines[0].hasPrefix("session "))
            #expect(lines[1] == "lost: 0 of 40 sent (0 %)")
            #expect(lines[2] == "due: 60 = 40 sent + 20 not sent (33.33 %)")
        }
    }

    @Test func `Probes that a full queue refuses are not sent, with ENOBUFS, and not lost`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            // 25 kB a second: 70 probes, and a queue of 8.
            try lab.tc(.a, "qdisc add dev probe0 root tbf rate 200kbit burst 2000 limit 3000")
            let run = try lab.startRun(.a, .ipv4, ["--rate", "200", "--count", "600"])
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)

            try summary.expectBalance(due: 600)
            let log = try Log(lab.log(.a))
            log.expectRows(600 - (summary["probes.skipped"] ?? 0))
            let refused = log.probes.filter { $0.status == .notSent }
            #expect(refused.count >= 300)
            #expect(refused.allSatisfy { $0.sendError == 105 }, "ENOBUFS")
            #expect(summary["probes.not_sent"] == refused.count)
            #expect(summary.losses == [0, 0, 0])
            #expect(log.count(.reply, .ok) == summary["probes.sent"])
            // What the queue took waited in it.
            #expect(summary["forward.sched_to_driver.max_ns"] ?? 0 > 20_000_000)
            #expect(run.errorLines("The kernel refused to send a probe: No buffer space available").count == 1)
            // A refused probe's SCHED timestamp is no stranger's.
            #expect(summary["counters.unknown_stamps"] == 0)
        }
    }

    @Test func `Replies that the reflector's kernel refuses are lost on the way back, and its log says so`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(Self.udp + ["--log", lab.log(.b)])
            let run = try lab.startRun(.a, .ipv4, Self.udp + ["--rate", "100"])
            try await run.waitForFrames(30)
            try lab.nft(.b, Self.output("sport 8620"))
            try await reflector.waitForErrorLine("The kernel refused to send a reply: Operation not permitted")
            try await run.waitForFrames(40)
            try lab.nft(.b, "delete table ip refusal")
            try await reflector.waitForErrorLine("Sending replies works again")
            let summary = try await lab.finish(run)
            let answered = try await lab.finish(reflector)

            let reflected = try Log(lab.log(.b)).session(summary.session)
            let refused = reflected.replies.filter { $0.status == .notSent }
            #expect(refused.count >= 40)
            #expect(refused.allSatisfy { $0.sendError == 1 && $0.direction == .out && $0.transmitApp != nil })
            #expect(answered["send_errors"] == refused.count)
            #expect(reflector.errorLines("The kernel refused to send a reply").count == 1)
            #expect(reflector.errorLines("Sending replies works again, after \(refused.count) refused").count == 1)
            // The reflector received every probe, whatever became of its reply.
            reflected.expectRows(summary["probes.sent"])
            #expect(reflected.probes.allSatisfy { $0.status == .ok && $0.sendError == nil })

            // Its reply numbers prove the direction to the sender.
            let log = try Log(lab.log(.a))
            log.expectRows(summary["probes.sent"])
            #expect(summary.losses == [0, refused.count, 0])
            #expect(log.probes.allSatisfy { $0.status == .ok })
            let lost = log.replies.filter { $0.status == .lost }
            #expect(Set(lost.map(\.sequence)) == Set(refused.map(\.sequence)))
            let outage = try #require(summary.objects("outages").first)
            #expect(outage["lost_reverse"] == refused.count && outage["probes"] == refused.count)
        }
    }

    @Test func `Without a driver timestamp, delays are from the scheduler's, and the summary says so`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            // A bridge's driver takes no timestamps.
            try Command.ip(
                [
                    "link add br0 address \(Lab.mac(.a)) type bridge", "link set br0 addrgenmode none",
                    "addr flush dev probe0", "link set probe0 master br0", "link set br0 up",
                    "addr add \(Lab.ipv4(.a))/24 dev br0",
                    "neigh add \(Lab.ipv4(.b)) lladdr \(Lab.mac(.b)) dev br0",
                ], in: lab.namespace(.a))
            func run(_ output: String) throws -> ProbeProcess {
                try lab.start(
                    .a,
                    ["run", "--interface", "br0", "--peer", Lab.ipv4(.b), "--rate", "100", "--count", "100"]
                        + ["--quiet", "--output", output, "--log", lab.log(.a), "--force"])
            }
            let summary = try await run("json").summary()
            try summary.expectBalance(due: 100)
            #expect(summary.losses == [0, 0, 0])
            #expect(summary.text("forward.delay_basis") == "sched-kernel")
            #expect(summary.text("reverse.delay_basis") == "driver-kernel")
            #expect(summary["forward.delay.count"] == summary["probes.sent"])
            #expect(summary["stamps.software.unsupported"] == summary["stamps.sent"])
            let probes = try Log(lab.log(.a)).probes
            #expect(probes.count == summary["probes.sent"])
            #expect(probes.allSatisfy { $0.transmitSoftware == nil && $0.transmitMissing == .unsupported })
            try #require(probes.allSatisfy { $0.transmitSched != nil && $0.receiveSoftware != nil })
            #expect(probes.allSatisfy { $0.delay == $0.receiveSoftware! - $0.transmitSched! })
            #expect(probes.allSatisfy { $0.delayClock == .software && $0.delayError == 1 })

            let text = try run("text")
            #expect(try await text.exit() == 0)
            #expect(text.lines.contains { $0.hasPrefix("forward delays are from scheduler to kernel") })
            #expect(!text.output.contains("reverse delays are from"))
            _ = try await lab.finish(reflector)
        }
    }
}
