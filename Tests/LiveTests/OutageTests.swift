import Foundation
import Report
import Testing

/// Tests links that go down and peers that stop: what is lost, what was never sent, and what the user learns of it.
@Suite(.serialized, .needsRoot)
struct OutageTests {
    @Test func `While the local link is down, probes are not sent, and none counts as lost`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "50", "--count", "250"])
            try await run.waitForFrames(25)
            let down = try await lab.takeLinkDown(.a, for: .seconds(2))
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)

            try summary.expectBalance(due: 250)
            let log = try Log(lab.log(.a))
            log.expectRows(250 - (summary["probes.skipped"] ?? 0))
            let refused = log.probes.filter { $0.status == .notSent }.sorted { $0.sequence < $1.sequence }
            let first = try #require(refused.first?.sequence)
            let last = try #require(refused.last?.sequence)
            #expect(Int(last - first) == refused.count - 1, "the gap is whole")
            #expect(refused.allSatisfy { $0.sendError == 100 }, "ENETDOWN")
            #expect(refused.allSatisfy { $0.transmitApp != nil && $0.transmitSched == nil && $0.receiveApp == nil })
            let replies = log.replies.bySequence
            #expect((first...last).allSatisfy { replies[$0]?.status == .absent })
            #expect(log.rows.allSatisfy { ($0.status == .notSent) == ($0.sendError != nil) })

            // A reply that is on the path when the link changes may be lost: at the gap's edges alone.
            #expect(summary["totals.lost_forward"] == 0 && summary["totals.lost_unknown"] == 0)
            let lost = log.replies.filter { $0.status == .lost }
            #expect(lost.count == summary["totals.lost_reverse"])
            #expect(lost.allSatisfy { $0.sequence == first - 1 || $0.sequence == last + 1 })

            #expect(summary["probes.not_sent"] == refused.count)
            #expect(summary["forward.packets.not_sent"] == refused.count)
            #expect(summary["send_errors"] == refused.count)
            let outage = try #require(summary.objects("outages").first)
            #expect(summary.objects("outages").count == 1)
            #expect(outage["not_sent"] == refused.count)
            #expect(outage["lost_forward"] == 0 && outage["lost_unknown"] == 0)
            #expect(outage["probes"] == refused.count + (outage["lost_reverse"] ?? 0))
            if lost.isEmpty {
                #expect(outage["from_probe"] == Int(first))
                #expect(outage["start_ns"] == refused.first?.transmitApp.map(Int.init))
            }
            #expect(outage["send_errno"] == 100)
            #expect(outage.text("cause") == "the kernel refused to send: Network is down")
            #expect(outage.value("open") as? Bool == false)
            let duration = Int64(try #require(outage["duration_ns"]))
            #expect(down.lowerBound - 100_000_000...down.upperBound + 100_000_000 ~= duration)

            #expect(run.errorLines("The kernel refused to send a probe: Network is down").count == 1)
            #expect(run.errorLines("Sending probes works again, after \(refused.count) refused").count == 1)
            #expect(run.errorLines("No reply since").isEmpty, "the peer is not blamed")
        }
    }

    @Test(arguments: [Lab.Topology.bridge, .pair])
    func `While the peer's link is down, probes are lost forward, as the reflector's log proves`(
        _ topology: Lab.Topology
    ) async throws {
        try await Lab.with(topology) { lab in
            let reflector = try await lab.startReflector(["--log", lab.log(.b)])
            let run = try lab.startRun(.a, .ipv4, ["--rate", "50", "--count", "300"])
            try await run.waitForFrames(25)
            let down = try await lab.takeLinkDown(.b, for: .seconds(3))
            let summary = try await run.summary()
            _ = try await lab.finish(reflector)

            try summary.expectBalance(due: 300)
            let log = try Log(lab.log(.a))
            log.expectRows(300 - (summary["probes.skipped"] ?? 0))
            let forward = log.count(.probe, .lost)
            let reverse = log.count(.reply, .lost)
            let notSent = log.count(.probe, .notSent)
            #expect(summary.losses == [forward, reverse, 0])
            #expect(forward >= 50)
            #expect(reverse <= 2, "only what was on the path when the link changed")
            // Where only the peer's link is down, this host's kernel knows nothing of it. At a veth pair's end it does,
            // and may refuse some.
            if topology == .bridge { #expect(notSent == 0) }

            let outage = try #require(summary.objects("outages").first)
            #expect(summary.objects("outages").count == 1)
            #expect(outage["lost_forward"] == forward)
            #expect(outage["not_sent"] == notSent)
            #expect(outage["probes"] == forward + notSent + (outage["lost_reverse"] ?? -1))
            #expect(outage.value("open") as? Bool == false)
            // The bridge's port forwards up to a second after its link is up.
            let duration = Int64(try #require(outage["duration_ns"]))
            #expect(down.lowerBound - 100_000_000...down.upperBound + 1_200_000_000 ~= duration)

            // The reflector has rows for those probes that reached it, and for no others.
            let reflected = try Log(lab.log(.b)).session(summary.session)
            let reached = Set(log.probes.filter { $0.status == .ok }.map(\.sequence))
            #expect(Set(reflected.probes.map(\.sequence)) == reached)
            #expect(reflected.probes.allSatisfy { $0.status == .ok })
            let answers = reflected.replies.bySequence
            for reply in log.replies where reply.status != .absent {
                let answer = try #require(answers[reply.sequence])
                // Ok is the sender's word, which it can not give in an outage.
                let possible: Set<PacketStatus> = reply.status == .ok ? [.ok, .unknown] : [.unknown, .notSent]
                #expect(possible.contains(answer.status), "\(answer)")
            }

            guard topology == .bridge else { return }
            #expect(outage.value("cause") is NSNull)
            let received = log.replies.sorted { $0.sequence < $1.sequence }.filter { $0.status == .ok }
            let after = try #require(zip(received, received.dropFirst()).first { $1.sequence > $0.sequence + 10 })
            try run.expectNotice("No reply since", at: try #require(after.0.receiveApp))
            try run.expectNotice("Replies again since", at: try #require(after.1.receiveApp))
        }
    }

    @Test func `A peer that is killed leaves an outage that lasts to the end, and exit code 10`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let run = try lab.startRun(.a, .ipv4, ["--rate", "50", "--count", "150", "--timeout", "300ms"])
            try await run.waitForFrames(40)
            reflector.signal(SIGKILL)
            #expect(try await run.exit() == 10)

            let summary = try Summary(lastLineOf: run.output)
            try summary.expectBalance(due: 150)
            let log = try Log(lab.log(.a))
            log.expectRows(summary["probes.sent"])
            let answered = log.replies.filter { $0.status == .ok }
            let last = try #require(answered.map(\.sequence).max())
            let unknown = log.probes.filter { $0.status == .unknown }
            #expect(answered.count + unknown.count == summary["probes.sent"])
            #expect(unknown.allSatisfy { $0.sequence > last }, "nothing before it is lost")
            #expect(Set(log.replies.filter { $0.sequence > last }.map(\.status)) == [.unknown])
            #expect(summary.losses == [0, 0, unknown.count])

            let outage = try #require(summary.objects("outages").first)
            #expect(summary.objects("outages").count == 1)
            #expect(outage.value("open") as? Bool == true)
            #expect(outage["from_probe"] == Int(last) + 1)
            #expect(outage["probes"] == unknown.count && outage["lost_unknown"] == unknown.count)
            #expect(outage["not_sent"] == 0)
            #expect(outage.text("cause") == nil, "nothing is known of it")

            try run.expectNotice(
                "No reply since", at: try #require(answered.first { $0.sequence == last }?.receiveApp))
            #expect(run.errorLines("Replies again").isEmpty)
            let message = try #require(run.errorLines("error:").first)
            #expect(message.contains(Lab.ipv4(.b)) && message.contains("\(unknown.count) probes"))
        }
    }

    @Test func `A run that nothing answers exits with 2, although all of it is one outage`() async throws {
        try await Lab.with { lab in
            let run = try lab.startRun(.a, .ipv4, ["--rate", "50", "--count", "25", "--timeout", "100ms"])
            #expect(try await run.exit() == 2)
            let summary = try Summary(lastLineOf: run.output)
            try summary.expectBalance(due: 25)
            let outage = try #require(summary.objects("outages").first)
            #expect(outage.value("open") as? Bool == true)
            #expect(outage["probes"] == summary["probes.sent"])
            #expect(run.errorLines("No reply came from \(Lab.ipv4(.b))").count == 1)
            #expect(run.errorLines("No reply since").isEmpty, "there never was one")
        }
    }
}
