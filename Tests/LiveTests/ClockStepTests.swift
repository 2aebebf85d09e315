import Foundation
import Glibc
import Report
import STAMPWire
import Testing

/// Tests runs against a peer whose clock steps mid-run. The test simulates that clock; no host's clock is set.
@Suite(.serialized, .needsRoot)
struct ClockStepTests {
    /// The peer's clock and report for one probe.
    private struct Stamps {
        /// The peer's clock minus this host's at T2 and at T3, in nanoseconds.
        var received: Int64
        var sent: Int64
        /// The count of clock steps that the peer reports; `nil` for a peer that supports standard STAMP only.
        var reported: UInt8?
    }

    private static let second: Int64 = 1_000_000_000
    /// The number, in order of arrival, of the first probe after the peer's clock step.
    private static let step = 40

    /// Runs a sender on `a` against a simulated reflector on `b`.
    ///
    /// - Parameter stamps: Called with each probe's number in order of arrival. A probe for which it returns `nil` is
    ///   answered together with the next one.
    private func measure(
        _ lab: Lab, count: Int = 200, _ stamps: @escaping @Sendable (_ number: Int) -> Stamps?
    ) async throws -> (summary: Summary, log: Log, errors: String) {
        let endpoint = try UDPEndpoint(lab, .b, port: 8620)
        let peer = SimulatedPeer(endpoint)
        let reflector = ScriptedReflector(endpoint) { number, probe, source in
            let arrived = Self.now()
            guard let stamps = stamps(number) else { return peer.held.append((probe, arrived)) }
            let sequence = UInt32(truncatingIfNeeded: number)
            peer.answer(probe, source, sequence, arrived, stamps)
            for (old, arrived) in peer.held {
                // Its reply carries the time before the step.
                let before = Stamps(received: 0, sent: arrived - Self.now(), reported: stamps.reported)
                peer.answer(old, source, sequence &- 1, arrived, before)
            }
            peer.held = []
        }
        let run = try lab.startRun(.a, .ipv4, ["--rate", "500", "--count", "\(count)", "--port", "8620"])
        defer { reflector.end() }
        let summary = try await run.summary()
        // A sender that the host delays skips deadlines.
        try #require(
            (summary["counters.sent"] ?? 0) > Self.step + 10,
            "too few probes; \(summary["counters.skipped_deadlines"] ?? 0) deadlines were skipped: is the host busy?"
        )
        return (summary, try Log(lab.log(.a)), run.errors)
    }

    /// The simulated peer's state. Only the reflector's thread uses it.
    private final class SimulatedPeer: @unchecked Sendable {
        let endpoint: UDPEndpoint
        var held: [(probe: [UInt8], arrived: Int64)] = []
        /// The last reply's transmit timestamps, which a paired peer reports with its next reply.
        var last: TransmitStamps?

        init(_ endpoint: UDPEndpoint) { self.endpoint = endpoint }

        func answer(_ probe: [UInt8], _ source: sockaddr_in, _ sequence: UInt32, _ arrived: Int64, _ stamps: Stamps) {
            let probeSequence = Bytes.read(probe, 0, as: UInt32.self)
            let received = arrived + stamps.received
            let sent = ClockStepTests.now() + stamps.sent
            let paired = stamps.reported.map {
                PairedTimestamps(
                    instance: 5, bootHash: 7, clockSteps: $0, transmit0: last,
                    receive0: ReceiveStamps(sequence: probeSequence, software: received, app: received))
            }
            let context = ReplyContext(
                sequence: sequence, receiveNanoseconds: received, transmitNanoseconds: sent,
                errorEstimate: ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 1000), ttl: 64,
                dscp: 0, ecn: 0, paired: paired)
            // A reflector that supports standard STAMP only returns the base packet.
            let known = paired == nil ? Array(probe[..<44]) : probe
            var reply = [UInt8](repeating: 0, count: known.count)
            var elements = reply.mutableSpan
            var span = elements.mutableBytes
            _ = writeReply(to: known.span.bytes, into: &span, context: context)
            endpoint.send(reply, to: source)
            last = TransmitStamps(sequence: sequence, answered: probeSequence, app: sent, software: sent)
        }
    }

    fileprivate static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * second + Int64(time.tv_nsec)
    }

    /// Expects the delays of each clock epoch to lie within `spread` nanoseconds of one another, and rows across a
    /// step to have none.
    private func expectUnmixed(
        _ log: Log, within spread: Int64 = 200_000_000, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for rows in [log.probes, log.replies] {
            for (epoch, epochRows) in Dictionary(grouping: rows.filter { $0.delay != nil }, by: \.clockEpoch) {
                #expect(epoch != nil, sourceLocation: sourceLocation)
                let delays = epochRows.compactMap(\.delay)
                #expect((delays.max() ?? 0) - (delays.min() ?? 0) < spread, sourceLocation: sourceLocation)
            }
            for row in rows where row.clockEpoch == nil {
                #expect(
                    row.delay == nil && row.transmitApp != nil && row.receiveApp != nil, sourceLocation: sourceLocation)
            }
        }
    }

    private func steps(_ summary: Summary) -> [[String: Any]] { summary.value("clock_steps") as? [[String: Any]] ?? [] }

    @Test(arguments: [1, -1, 37] as [Int64])
    func `A clock step of seconds at a standard peer is reported, and no delay crosses it`(
        _ seconds: Int64
    ) async throws {
        try await Lab.with { lab in
            let (summary, log, errors) = try await measure(lab) { number in
                let offset = number < Self.step ? 0 : seconds * Self.second
                return Stamps(received: offset, sent: offset)
            }
            expectUnmixed(log)
            let found = steps(summary)
            try #require(found.count == 1)
            #expect(found[0]["clock"] as? String == "peer")
            let amount = try #require(found[0]["by_ns"] as? Int64)
            #expect(abs(amount - seconds * Self.second) <= found[0]["error_ns"] as? Int64 ?? 0)
            #expect(errors.contains("The peer's clock was set \(seconds < 0 ? "back" : "forward") by"))
            let delays = try #require(summary.value("forward.delays") as? [[String: Any]])
            #expect(delays.count == 2)
            // The probe that reveals the step, and those in flight at that time.
            #expect(1...20 ~= (summary["forward.crossing"] ?? 0))
            #expect(abs(summary["rtt.max_ns"] ?? .max) < 200_000_000)
            #expect(abs(summary["forward.ipdv.max_ns"] ?? .max) < 200_000_000)
            #expect(
                (summary["forward.delay.max_ns"] ?? .max) < 200_000_000,
                "the statistics cover the first clock epoch only")
            #expect(summary["forward.packets.ok"] == log.probes.count)
        }
    }

    @Test(arguments: [1, -1] as [Int64])
    func `A clock step between T2 and T3 leaves that probe without a delay`(
        _ seconds: Int64
    ) async throws {
        try await Lab.with { lab in
            let (summary, log, _) = try await measure(lab) { number in
                let after = seconds * Self.second
                return Stamps(received: number <= Self.step ? 0 : after, sent: number < Self.step ? 0 : after)
            }
            expectUnmixed(log)
            #expect(steps(summary).count == 1)
            #expect(log.probes.count { $0.clockEpoch == nil } >= 2)
        }
    }

    @Test func `A reply sent before a step and received after it belongs to no clock epoch, and is no second step`()
        async throws
    {
        try await Lab.with { lab in
            let (summary, log, _) = try await measure(lab) { number in
                if number == Self.step - 1 { return nil }
                let offset = number < Self.step ? 0 : Self.second
                return Stamps(received: offset, sent: offset)
            }
            expectUnmixed(log)
            #expect(steps(summary).count == 1)
            #expect(summary["reverse.packets.reordered"] == 1)
            #expect(log.replies.filter { $0.status == .reordered }.allSatisfy { $0.clockEpoch == nil })
        }
    }

    @Test func `A step far smaller than the round trip is found when the peer reports it`() async throws {
        try await Lab.with { lab in
            let (summary, log, _) = try await measure(lab) { number in
                let offset: Int64 = number < Self.step ? 0 : 5000
                return Stamps(received: offset, sent: offset, reported: number < Self.step ? 255 : 0)
            }
            let found = steps(summary)
            try #require(found.count == 1)
            #expect(found[0]["clock"] as? String == "peer")
            #expect(Set(log.probes.map(\.clockEpoch)) == [0, 1, nil])
            #expect((summary.value("reverse.delays") as? [Any])?.count == 2)
        }
    }

    @Test func `A peer whose clock is arbitrary loses its delays and nothing else`() async throws {
        try await Lab.with { lab in
            let (summary, log, errors) = try await measure(lab, count: 1000) { number in
                var random = RepeatableRandom(seed: UInt64(number))
                func any() -> Int64 { Int64.random(in: -1 << 50...1 << 50, using: &random) }
                return Stamps(received: any(), sent: any(), reported: UInt8(truncatingIfNeeded: number &* 7))
            }
            #expect(summary["forward.packets.ok"] == log.probes.count)
            #expect(steps(summary).count == 16)
            #expect(errors.split(separator: "\n").count { $0.contains("clock was set") } < 20)
        }
    }

    @Test func `A peer whose T2 and T3 never agree is measured without a step`() async throws {
        try await Lab.with { lab in
            let (summary, log, _) = try await measure(lab) { _ in Stamps(received: 37 * Self.second, sent: 0) }
            #expect(steps(summary).isEmpty)
            #expect(log.probes.allSatisfy { $0.clockEpoch == 0 && $0.delay != nil })
        }
    }
}
