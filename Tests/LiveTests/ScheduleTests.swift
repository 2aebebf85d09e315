import Foundation
import LinuxKernel
import Report
import Testing

/// Tests the times at which probes are on the wire.
@Suite(.serialized, .needsRoot)
struct ScheduleTests {
    /// Runs towards a reflector, and returns the times at which each session's measured probes left, in order.
    private func sendTimes(_ lab: Lab, sessions: Int = 1, _ options: [String]) async throws -> [[Int64]] {
        let reflector = try await lab.startReflector()
        let capture = try Capture(lab, .a)
        let run = try lab.startRun(.a, peers: Array(repeating: Lab.ipv4(.b), count: sessions), options)
        #expect(try await run.exit(within: 40) == 0, "\(run.errors)")
        let probes = capture.end().of(.probe, outgoing: true)
        _ = try await lab.finish(reflector)
        let log = try Log(lab.log(.a))
        let measured = Dictionary(grouping: log.probes, by: \.session).mapValues { Set($0.map(\.sequence)) }
        try #require(measured.count == sessions)
        let ports = Dictionary(grouping: probes, by: \.frame.sourcePort)
        // With one session there is one port; with several the order of the sessions does not matter here.
        return try ports.values.map { packets in
            let sequences = sessions == 1 ? try #require(measured.values.first) : nil
            return packets.filter { sequences?.contains($0.frame.sequence) ?? true }.map(\.stamp).sorted()
        }
    }

    private func gaps(_ times: [Int64]) -> [Int64] { zip(times.dropFirst(), times).map { $0 - $1 } }

    @Test func `burst:10 at 100 a second sends ten probes at once, ten times a second`() async throws {
        try await Lab.with { lab in
            let times = try #require(
                try await sendTimes(lab, ["--schedule", "burst:10", "--rate", "100", "--count", "200"]).first)
            // A host that stalls skips deadlines, and sends fewer.
            try #require(times.count >= 150)
            let long = gaps(times).filter { $0 > 30_000_000 }
            #expect(long.count == (times.count + 9) / 10 - 1, "the bursts are apart")
            #expect(abs(try median(long) - 100_000_000) < 10_000_000)
            #expect(try median(gaps(times)) < 1_000_000, "the probes of a burst are not")
        }
    }

    @Test func `poisson sends at the mean rate, with gaps that vary as exponential ones do`() async throws {
        try await Lab.with { lab in
            let times = try #require(
                try await sendTimes(lab, ["--schedule", "poisson", "--rate", "500", "--count", "2000"]).first)
            try #require(times.count >= 1900)
            let gaps = gaps(times).map(Double.init)
            let mean = gaps.reduce(0, +) / Double(gaps.count)
            let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
            // Of 2,000 gaps the mean's standard error is 2.2 %, that of the variation about 3 %.
            #expect(abs(mean - 2e6) < 0.25e6, "mean \(mean) ns")
            #expect(abs(variance.squareRoot() / mean - 1) < 0.2, "variation \(variance.squareRoot() / mean)")
            // Half of the gaps are shorter than ln 2 times the mean, which a periodic schedule's are not.
            #expect(abs(try median(gaps.map { Int64($0) }) - 1_386_000) < 250_000)
        }
    }

    @Test func `periodic sends at the interval`() async throws {
        try await Lab.with { lab in
            let times = try #require(
                try await sendTimes(lab, ["--schedule", "periodic", "--rate", "100", "--count", "100"]).first)
            #expect(abs(try median(gaps(times)) - 10_000_000) < 1_000_000)
        }
    }

    @Test func `Ten sessions at ten a second do not send at one instant`() async throws {
        try await Lab.with { lab in
            let sessions = try await sendTimes(lab, sessions: 10, ["--rate", "10", "--count", "30"])
            try #require(sessions.count == 10)
            // The first and last probes of a session are not measured, and follow other deadlines.
            let all = sessions.flatMap { $0.dropFirst(5).dropLast(5) }.sorted()
            let gaps = gaps(all)
            #expect(abs(try median(gaps) - 10_000_000) < 3_000_000, "a tenth of the interval apart")
            let near = gaps.count { $0 < 1_000_000 }
            #expect(near < gaps.count / 10, "\(near) of \(gaps.count) gaps are shorter than 1 ms")
        }
    }
}
