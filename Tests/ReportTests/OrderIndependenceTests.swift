import Testing

@testable import Report

/// The figures of a run depend on the set of its rows, not on their order.
@Suite struct OrderIndependenceTests {
    private func statistics(_ rows: [PacketRecord]) -> SessionStatistics {
        var statistics = SessionStatistics()
        for row in rows { statistics.add(row) }
        return statistics
    }

    /// The statistics as JSON.
    private func figures(_ rows: [PacketRecord]) -> String {
        RunSummary(
            session: "1", peer: "192.0.2.2", interface: "eth0", duration: 5, statistics: statistics(rows),
            relative: true,
            clockNote: "c"
        ).json()
    }

    /// The rows of 300 probes, with delays of several bases, relative or not, in several clock epochs.
    private func rows(_ generator: inout SplitMix, offset: Int64) -> [PacketRecord] {
        var rows: [PacketRecord] = []
        for sequence in 0..<300 as Range<UInt32> {
            for packet in PacketKind.allCases {
                let base = sampleTime + Int64(sequence) * 1_000_000
                let delay = (packet == .probe ? offset : 0 &- offset) + .random(in: 1000...900_000, using: &generator)
                var record = PacketRecord(
                    session: 1, packet: packet, sequence: sequence, direction: packet == .probe ? .out : .in,
                    transmitApp: base, transmitSched: base + 10, receiveApp: base + delay + 90)
                if Int.random(in: 0..<10, using: &generator) > 0 { record.transmitSoftware = base + 20 }
                if Int.random(in: 0..<10, using: &generator) > 0 { record.receiveSoftware = base + delay + 20 }
                record.clockEpoch = UInt16(sequence / 16)
                if sequence % 16 == 5 { record.clockEpoch = nil }
                record.status = [.ok, .ok, .ok, .reordered, .lost].randomElement(using: &generator) ?? .ok
                record.computeDelay(error: Bool.random(using: &generator) ? Int64(sequence) : nil)
                rows.append(record)
            }
        }
        return rows
    }

    @Test(arguments: [0, 3_000_000_000, -77_000_000, 1_500_000] as [Int64])
    func `Every figure is the same for any order of the rows`(offset: Int64) {
        var generator = SplitMix(state: 41)
        let rows = rows(&generator, offset: offset)
        let expected = figures(rows)
        #expect(expected.contains("\"delay_basis\":\"driver-kernel\""))
        for _ in 0..<20 { #expect(figures(rows.shuffled(using: &generator)) == expected) }
        #expect(figures(rows.reversed()) == expected)
    }

    @Test
    func
        `A delay with an application timestamp is in no histogram, even if it comes before the first kernel one`()
    {
        let first = statistics([row(.probe, 1, 9000, clock: .app), row(.probe, 2, 10), row(.probe, 3, 12)])
        #expect(first.forward.delay.count == 2 && first.forward.delay.max == 12)
        #expect(first.forward.delaysByApplication == 1)
        #expect(first.forward.ipdv.count == 1 && first.forward.ipdv.max == 2)
        let both = statistics([
            row(.probe, 1, 9000, clock: .app), row(.reply, 1, 5), row(.probe, 2, 10), row(.reply, 2, 7),
        ])
        #expect(both.roundTrip.count == 1 && both.roundTrip.max == 17)
    }

    @Test func `A scheduler timestamp replaces a missing driver timestamp before the application's does`() {
        func record(_ sequence: UInt32, driver: Int64?) -> PacketRecord {
            var record = PacketRecord(
                session: 1, packet: .probe, sequence: sequence, direction: .out, transmitApp: 100, transmitSched: 130,
                transmitSoftware: driver, receiveSoftware: 200)
            record.computeDelay(error: 7)
            return record
        }
        let bridge = record(1, driver: nil)
        #expect(bridge.delay == 70 && bridge.delayClock == .software && bridge.delayError == 7)
        #expect(bridge.delayBasis == .schedToKernel)
        let alone = statistics([bridge, record(2, driver: nil)]).forward
        #expect(alone.basis == .schedToKernel && alone.delay.count == 2)
        let mixed = statistics([bridge, record(2, driver: 150)]).forward
        #expect(mixed.basis == .driverToKernel && mixed.delay.count == 1 && mixed.delay.max == 50)
        #expect(mixed.excludedDelays.map(\.basis) == [.schedToKernel] && mixed.excludedDelays.map(\.count) == [1])
        #expect(mixed.delaysByApplication == 0, "the scheduler's is no application timestamp")
    }

    @Test func `The buckets of relative delays do not depend on their order`() {
        var generator = SplitMix(state: 42)
        let delays = (0..<500).map { _ in 5_000_000_000 + Int64.random(in: 0...90_000_000, using: &generator) }
        func buckets(_ delays: [Int64]) -> [SignedHistogram.Bucket] {
            statistics(delays.enumerated().map { row(.probe, UInt32($0.offset), $0.element) }).forward.delay.buckets
        }
        let expected = buckets(delays.sorted())
        #expect(expected.reduce(0) { $0 + $1.count } == 500)
        for _ in 0..<10 { #expect(buckets(delays.shuffled(using: &generator)) == expected) }
        #expect(buckets(delays.sorted(by: >)) == expected)
    }

    @Test func `Delays with and without an error bound are counted, and the bound is that of the former`() throws {
        var bounded = row(.probe, 1, 10)
        bounded.delayError = 5
        var wider = row(.probe, 2, 10)
        wider.delayError = 9
        let found = statistics([row(.probe, 3, 11), bounded, row(.probe, 4, 12), wider, row(.probe, 5, 12)])
        let epoch = try #require(found.forward.epochs.first)
        #expect(epoch.boundedCount == 2 && epoch.relativeCount == 3 && epoch.largestDelayError == 9)
        let summary = RunSummary(
            session: "1", peer: "p", interface: "e", duration: 5, statistics: found, relative: true, clockNote: "c")
        let text = summary.text()
        #expect(text.contains("error of the one-way delay: forward at most 9 ns\n"))
        #expect(text.contains("  delays with a bound: forward 2 of 5; the other 3 are relative\n"))
        #expect(summary.json().contains("\"delay_bounds\":{\"bounded\":2,\"relative\":3}"))
        #expect(summary.json().contains("\"delay_error_max_ns\":9"))
    }

    @Test(
        arguments: [
            [-999_700, -999_800, -999_900, -1_000_001], [999_999, 1_000_001, 5_000_000, -3],
            [-5_000_000, -10, -200, -300], [262_143, 262_144, 1_310_720, 1_048_577],
        ] as [[Int64]])
    func `Delays on both sides of a millisecond have the same buckets in every order`(delays: [Int64]) {
        for bound in [nil, 20] as [Int64?] {
            var rows = delays.map { row(.probe, 0, $0) }
            if let bound { rows[1].delayError = bound }
            func found(_ order: [Int]) -> [SignedHistogram.Bucket] {
                statistics(
                    order.map { index in
                        var record = rows[index]
                        record.sequence = UInt32(index) * 2
                        return record
                    }
                ).forward.delay.buckets
            }
            let expected = found([0, 1, 2, 3])
            for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [3, 0, 1, 2]] { #expect(found(order) == expected) }
        }
    }
}
