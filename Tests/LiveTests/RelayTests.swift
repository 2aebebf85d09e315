import Report
import Testing

/// Tests that the probe attributes loss, duplication, reordering and delay to the right direction. A relay between the
/// two sides causes them.
@Suite(.serialized, .needsRoot)
struct RelayTests {
    private static let count: UInt32 = 200
    /// Sequence numbers that are certain to be measured: there are few opening and closing probes.
    private static let lost: [UInt32] = [40, 41, 42, 60, 80, 81, 120]
    private static let alsoLost: [UInt32] = [50, 70, 71, 100, 140]
    private static let affected: [UInt32] = [30, 50, 77, 100, 131]

    private struct Measured {
        let log: Log
        let summary: Summary
        /// The number of probes sent: all, unless the host stalled for 100 ms or more.
        let sent: Int

        func totals(_ name: String) -> Int? { summary["totals.\(name)"] }

        func lost(_ packet: PacketKind) -> [UInt32] {
            log.rows.filter { $0.packet == packet && $0.status == .lost }.map(\.sequence).sorted()
        }
    }

    /// Measures from `a` through the relay to a reflector on `b`.
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

    /// Treats each of the packets once: a packet that is sent again passes.
    private static func once(
        _ treatment: Relay.Treatment, _ kind: WireFrame.Kind, _ sequences: [UInt32]
    ) -> @Sendable (WireFrame) -> Relay.Treatment {
        let chosen = Chosen(sequences)
        return { $0.kind == kind && chosen.claim($0.sequence) ? treatment : .pass }
    }

    // MARK: - Delay

    private static let addedNanoseconds: Int64 = 5_000_000

    @Test(arguments: Lab.Family.allCases) func `Neighbours are resolved through the relay, and the relay loses nothing`(
        family: Lab.Family
    ) async throws {
        try await measure(neighbours: .resolved, family: family) { measured in
            #expect(measured.log.count(.probe, .ok) == measured.sent)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `Probes delayed by 5 ms make the forward delay 5 ms longer than the reverse delay`() async throws {
        try await measure(fromA: { _ in .delay(Self.addedNanoseconds) }) { measured in
            try expectAsymmetry(measured, Self.addedNanoseconds)
        }
    }

    @Test func `Replies delayed by 5 ms make the reverse delay 5 ms longer than the forward delay`() async throws {
        try await measure(fromB: { _ in .delay(Self.addedNanoseconds) }) { measured in
            try expectAsymmetry(measured, -Self.addedNanoseconds)
        }
    }

    private func expectAsymmetry(_ measured: Measured, _ expected: Int64) throws {
        let replies = measured.log.replies.bySequence
        let differences = measured.log.probes.compactMap { probe in
            probe.delay.flatMap { forward in replies[probe.sequence]?.delay.map { forward - $0 } }
        }
        #expect(differences.count == measured.sent)
        // A busy host delays some packets longer, and none less: the shortest delays show the added one.
        #expect(abs(try median(differences)) > abs(expected) / 2)
        #expect(try median(differences).signum() == expected.signum())
        let (forward, reverse) = (measured.log.probes.compactMap(\.delay), measured.log.replies.compactMap(\.delay))
        let difference = try #require(forward.min()) - #require(reverse.min())
        #expect(abs(difference - expected) < 1_000_000)
        #expect(measured.summary.value("relative") as? Bool == false)
    }

    // MARK: - Loss

    @Test func `Dropped probes are lost in the forward direction, and their replies were never sent`() async throws {
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

    @Test func `Dropped replies are lost in the reverse direction, and their probes arrived`() async throws {
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

    @Test func `Losses are attributed to their direction, and none is unknown when the peer reports its timestamps`()
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

    @Test func `Adjacent losses in both directions add up to the number of probes without a reply`() async throws {
        // Probes and replies from 40 to 45 are lost alternately, and with them telemetry about neighbouring packets.
        try await measure(
            fromA: Self.drop(.probe, [40, 42, 44]), fromB: Self.drop(.reply, [41, 43, 45])
        ) { measured in
            let totals = try ["lost_forward", "lost_reverse", "lost_unknown"].map { try #require(measured.totals($0)) }
            #expect(totals.reduce(0, +) == 6)
            // A loss without evidence of its direction is unknown, never attributed to the wrong one.
            #expect(Set(measured.lost(.probe)).isSubset(of: [40, 42, 44]))
            #expect(Set(measured.lost(.reply)).isSubset(of: [41, 43, 45]))
            #expect(measured.log.count(.probe, .ok) >= measured.sent - 6)
        }
    }

    @Test func `Both sides of a pair attribute losses to the right direction`() async throws {
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

    // MARK: - Duplicates, reordering, late replies

    @Test func `Duplicated probes are forward duplicates, and each has another row`() async throws {
        try await measure(fromA: Self.once(.duplicate, .probe, Self.affected)) { measured in
            #expect(measured.totals("duplicated_forward") == Self.affected.count)
            #expect(measured.totals("duplicated_reverse") == 0)
            let duplicates = measured.log.probes.filter { $0.status == .duplicate }.map(\.sequence)
            #expect(duplicates.sorted() == Self.affected)
            #expect(measured.log.count(.probe, .ok) == measured.sent)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
        }
    }

    @Test func `Duplicated replies are reverse duplicates, and no probe is a duplicate`() async throws {
        try await measure(fromB: Self.once(.duplicate, .reply, Self.affected)) { measured in
            #expect(measured.totals("duplicated_forward") == 0)
            #expect(measured.totals("duplicated_reverse") == Self.affected.count)
            #expect(measured.log.count(.probe, .duplicate) == 0)
            let duplicates = measured.log.replies.filter { $0.status == .duplicate }.map(\.sequence)
            #expect(duplicates.sorted() == Self.affected)
            #expect(measured.log.count(.reply, .ok) == measured.sent)
        }
    }

    @Test func `Of two swapped probes, the one that arrives after a later one is reordered forward`() async throws {
        try await measure(fromA: Self.once(.swapWithNext, .probe, Self.affected)) { measured in
            #expect(measured.totals("reordered_forward") == Self.affected.count)
            #expect(measured.totals("reordered_reverse") == 0)
            let reordered = measured.log.probes.filter { $0.status == .reordered }.map(\.sequence)
            #expect(reordered.sorted() == Self.affected)
            #expect(measured.log.count(.reply, .reordered) == 0)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `Of two swapped replies, the one that arrives after a later one is reordered in reverse`() async throws {
        try await measure(fromB: Self.once(.swapWithNext, .reply, Self.affected)) { measured in
            #expect(measured.totals("reordered_forward") == 0)
            #expect(measured.totals("reordered_reverse") == Self.affected.count)
            let reordered = measured.log.replies.filter { $0.status == .reordered }.map(\.sequence)
            #expect(reordered.sorted() == Self.affected)
            #expect(measured.log.count(.probe, .reordered) == 0)
            #expect(measured.log.rows.count == 2 * measured.sent)
        }
    }

    @Test func `A reply delayed beyond the timeout is late, not lost`() async throws {
        let treatment = Self.once(.delay(300_000_000), .reply, Self.affected)
        try await measure(fromB: treatment, ["--timeout", "200ms"]) { measured in
            #expect(measured.totals("late") == Self.affected.count)
            let late = measured.log.replies.filter { $0.status == .late }
            #expect(late.map(\.sequence).sorted() == Self.affected)
            for name in ["lost_forward", "lost_reverse", "lost_unknown"] { #expect(measured.totals(name) == 0) }
            // Their delay is in the row but not in the statistics.
            #expect(late.allSatisfy { ($0.delay ?? 0) > 290_000_000 })
            #expect(measured.summary["reverse.delay.count"] == measured.sent - Self.affected.count)
            #expect(measured.log.count(.probe, .ok) == measured.sent)
        }
    }
}
