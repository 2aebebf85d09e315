import Report
import Testing

/// What happens to packets on the way, by a relay of the tests' own between the two sides, and in which direction the
/// probe says that it happened.
@Suite(.serialized, .needsRoot)
struct RelayTests {
    private static let count: UInt32 = 200
    /// Sequence numbers that are measured for sure: opening and closing probes are few.
    private static let lost: [UInt32] = [40, 41, 42, 60, 80, 81, 120]
    private static let alsoLost: [UInt32] = [50, 70, 71, 100, 140]
    private static let apart: [UInt32] = [30, 50, 77, 100, 131]

    private struct Measured {
        let log: Log
        let summary: Summary
        /// How many probes were sent: all, unless the host was held up by 100 ms or more.
        let sent: Int

        func totals(_ name: String) -> Int? { summary["totals.\(name)"] }

        func lost(_ packet: PacketKind) -> [UInt32] {
            log.rows.filter { $0.packet == packet && $0.status == .lost }.map(\.sequence).sorted()
        }
    }

    /// Measures from a over the relay to a reflector on b.
    private func measure(
        fromA: @escaping @Sendable (WireFrame) -> Relay.Treatment = { _ in .pass },
        fromB: @escaping @Sendable (WireFrame) -> Relay.Treatment = { _ in .pass },
        _ options: [String] = [], neighbours: Lab.Neighbours = .permanent, family: Lab.Family = .ipv4,
        _ body: (Measured) throws -> Void
    ) async throws {
        try await Lab.with(.relay, neighbours: neighbours) { lab in
            let relay = try Relay(lab, fromA: fromA, fromB: fromB)
            defer { relay.end() }
            _ = try await lab.startReflect(.b)
            let run = try lab.startRun(.a, family, ["--rate", "200", "--count", "\(Self.count)"] + options)
            let summary = try await run.summary()
            let sent = try #require(summary["counters.sent"])
            let measured = Measured(log: try Log(lab.log(.a)), summary: summary, sent: sent)
            #expect(sent + (summary["counters.skipped_deadlines"] ?? 0) == Int(Self.count))
            #expect(Set(measured.log.probes.map(\.sequence)).count == sent)
            #expect(Set(measured.log.replies.map(\.sequence)).count == sent)
            try body(measured)
        }
    }

    private static func drop(_ kind: WireFrame.Kind, _ sequences: [UInt32]) -> @Sendable (WireFrame) -> Relay.Treatment
    {
        { $0.kind == kind && sequences.contains($0.sequence) ? .drop : .pass }
    }

    /// Copies and swaps once, so that a packet that is sent again is left alone.
    private static func once(
        _ treatment: Relay.Treatment, _ kind: WireFrame.Kind, _ sequences: [UInt32]
    ) -> @Sendable (WireFrame) -> Relay.Treatment {
        let chosen = Chosen(sequences)
        return { $0.kind == kind && chosen.take($0.sequence) ? treatment : .pass }
    }

    // MARK: - Delay

    private static let held: Int64 = 5_000_000

    @Test(arguments: Lab.Family.allCases) func `Neighbours are found through the relay, and it loses nothing by itself`(
        family: Lab.Family
    ) async throws {
        try await measure(neighbours: .resolved, family: family) { measured in
            #expect(measured.log.count(.probe, .ok) == measured.sent)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `Probes held for 5 ms make the forward delay 5 ms longer than the reverse one`() async throws {
        try await measure(fromA: { _ in .hold(Self.held) }) { measured in
            try expectAsymmetry(measured, Self.held)
        }
    }

    @Test func `Replies held for 5 ms make the reverse delay 5 ms longer than the forward one`() async throws {
        try await measure(fromB: { _ in .hold(Self.held) }) { measured in
            try expectAsymmetry(measured, -Self.held)
        }
    }

    private func expectAsymmetry(_ measured: Measured, _ expected: Int64) throws {
        let replies = measured.log.replies.bySequence
        let differences = measured.log.probes.compactMap { probe in
            probe.delay.flatMap { forward in replies[probe.sequence]?.delay.map { forward - $0 } }
        }
        #expect(differences.count == measured.sent)
        // A busy host holds some for longer, and none for less: the size is that of the least disturbed ones.
        #expect(abs(try median(differences)) > abs(expected) / 2)
        #expect(try median(differences).signum() == expected.signum())
        let (forward, reverse) = (measured.log.probes.compactMap(\.delay), measured.log.replies.compactMap(\.delay))
        let difference = try #require(forward.min()) - #require(reverse.min())
        #expect(abs(difference - expected) < 1_000_000)
        #expect(measured.summary.value("relative") as? Bool == false)
    }

    // MARK: - Loss

    @Test func `Dropped probes are lost forward, and their replies never were`() async throws {
        try await measure(fromA: Self.drop(.probe, Self.lost)) { measured in
            #expect(measured.totals("lost_forward") == Self.lost.count)
            #expect(measured.totals("lost_reverse") == 0)
            #expect(measured.totals("lost_unknown") == 0)
            #expect(measured.lost(.probe) == Self.lost)
            #expect(measured.lost(.reply) == [])
            #expect(measured.log.count(.reply, .absent) == Self.lost.count)
            #expect(measured.log.count(.probe, .ok) == measured.sent - Self.lost.count)
            #expect(measured.summary["forward.packets.lost"] == Self.lost.count)
            #expect(measured.summary["reverse.packets.lost"] == 0)
        }
    }

    @Test func `Dropped replies are lost on the way back, and their probes have arrived`() async throws {
        try await measure(fromB: Self.drop(.reply, Self.lost)) { measured in
            #expect(measured.totals("lost_forward") == 0)
            #expect(measured.totals("lost_reverse") == Self.lost.count)
            #expect(measured.totals("lost_unknown") == 0)
            #expect(measured.lost(.probe) == [])
            #expect(measured.lost(.reply) == Self.lost)
            #expect(measured.log.count(.probe, .ok) == measured.sent)
            #expect(measured.summary["forward.packets.lost"] == 0)
            #expect(measured.summary["reverse.packets.lost"] == Self.lost.count)
        }
    }

    @Test func `Losses in both directions are reported apart, and none is unknown where the peer tells its stamps`()
        async throws
    {
        try await measure(
            fromA: Self.drop(.probe, Self.lost), fromB: Self.drop(.reply, Self.alsoLost)
        ) { measured in
            #expect(measured.totals("lost_forward") == Self.lost.count)
            #expect(measured.totals("lost_reverse") == Self.alsoLost.count)
            #expect(measured.totals("lost_unknown") == 0)
            #expect(measured.lost(.probe) == Self.lost)
            #expect(measured.lost(.reply) == Self.alsoLost)
        }
    }

    @Test func `Losses in both directions next to one another still add up to the probes without a reply`() async throws
    {
        // 40 to 45 go missing in turn; the telemetry of the replies around them may be among what is lost.
        try await measure(
            fromA: Self.drop(.probe, [40, 42, 44]), fromB: Self.drop(.reply, [41, 43, 45])
        ) { measured in
            let totals = try ["lost_forward", "lost_reverse", "lost_unknown"].map { try #require(measured.totals($0)) }
            #expect(totals.reduce(0, +) == 6)
            // Never against the truth: a loss whose direction is not known is unknown.
            #expect(Set(measured.lost(.probe)).isSubset(of: [40, 42, 44]))
            #expect(Set(measured.lost(.reply)).isSubset(of: [41, 43, 45]))
            #expect(measured.log.count(.probe, .ok) >= measured.sent - 6)
        }
    }

    @Test func `Both sides of a pair see each other's losses in the right direction`() async throws {
        try await Lab.with(.relay) { lab in
            let relay = try Relay(
                lab, fromA: Self.drop(.probe, Self.lost), fromB: Self.drop(.probe, Self.alsoLost))
            defer { relay.end() }
            let options = ["--rate", "200", "--count", "\(Self.count)"]
            let summaries = try await lab.runPair(a: options, b: options)
            for (summary, lost) in [(summaries.a, Self.lost), (summaries.b, Self.alsoLost)] {
                #expect(summary["totals.lost_forward"] == lost.count)
                #expect(summary["totals.lost_reverse"] == 0)
                #expect(summary["totals.lost_unknown"] == 0)
            }
        }
    }

    // MARK: - Copies, order, time

    @Test func `Copied probes are duplicates forward: a further row of the probe and of its second reply`() async throws
    {
        try await measure(fromA: Self.once(.duplicate, .probe, Self.apart)) { measured in
            #expect(measured.totals("duplicated_forward") == Self.apart.count)
            #expect(measured.totals("duplicated_reverse") == 0)
            let copies = measured.log.probes.filter { $0.status == .duplicate }.map(\.sequence)
            #expect(copies.sorted() == Self.apart)
            #expect(measured.log.count(.probe, .ok) == measured.sent)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
        }
    }

    @Test func `Copied replies are duplicates on the way back, and no probe is`() async throws {
        try await measure(fromB: Self.once(.duplicate, .reply, Self.apart)) { measured in
            #expect(measured.totals("duplicated_forward") == 0)
            #expect(measured.totals("duplicated_reverse") == Self.apart.count)
            #expect(measured.log.count(.probe, .duplicate) == 0)
            let copies = measured.log.replies.filter { $0.status == .duplicate }.map(\.sequence)
            #expect(copies.sorted() == Self.apart)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
        }
    }

    @Test func `Probes that change places are reordered forward: the one that came after a later one`() async throws {
        try await measure(fromA: Self.once(.swapWithNext, .probe, Self.apart)) { measured in
            #expect(measured.totals("reordered_forward") == Self.apart.count)
            #expect(measured.totals("reordered_reverse") == 0)
            let reordered = measured.log.probes.filter { $0.status == .reordered }.map(\.sequence)
            #expect(reordered.sorted() == Self.apart)
            #expect(measured.log.count(.reply, .reordered) == 0)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `Replies that change places are reordered on the way back`() async throws {
        try await measure(fromB: Self.once(.swapWithNext, .reply, Self.apart)) { measured in
            #expect(measured.totals("reordered_forward") == 0)
            #expect(measured.totals("reordered_reverse") == Self.apart.count)
            let reordered = measured.log.replies.filter { $0.status == .reordered }.map(\.sequence)
            #expect(reordered.sorted() == Self.apart)
            #expect(measured.log.count(.probe, .reordered) == 0)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `A reply held for longer than the timeout is late, and not lost`() async throws {
        let treatment = Self.once(.hold(300_000_000), .reply, Self.apart)
        try await measure(fromB: treatment, ["--timeout", "200ms"]) { measured in
            #expect(measured.totals("late") == Self.apart.count)
            let late = measured.log.replies.filter { $0.status == .late }
            #expect(late.map(\.sequence).sorted() == Self.apart)
            for name in ["lost_forward", "lost_reverse", "lost_unknown"] { #expect(measured.totals(name) == 0) }
            // Their delay is in the row, but not in the statistics.
            #expect(late.allSatisfy { ($0.delay ?? 0) > 290_000_000 })
            #expect(measured.summary["reverse.delay.count"] == measured.sent - Self.apart.count)
            #expect(measured.log.count(.probe, .ok) == measured.sent)
        }
    }
}
