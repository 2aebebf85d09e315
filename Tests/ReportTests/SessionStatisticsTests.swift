import Testing

@testable import Report

@Suite struct SessionStatisticsTests {
    private func statistics(_ rows: [PacketRecord]) -> SessionStatistics {
        var statistics = SessionStatistics()
        for row in rows { statistics.add(row) }
        return statistics
    }

    private func values(_ histogram: SignedHistogram) -> [Int64] {
        // Exact for the small values of these tests, which have a bucket each.
        histogram.buckets.flatMap { Array(repeating: $0.from, count: Int($0.count)) }
    }

    @Test func `Probes are the forward direction, and replies the reverse`() {
        let found = statistics([row(.probe, 1, 10), row(.reply, 1, -4), row(.probe, 2, 12)])
        #expect(values(found.forward.delay) == [10, 12])
        #expect(values(found.reverse.delay) == [-4])
    }

    @Test(arguments: PacketStatus.allCases)
    func `A row is counted by its status, and its delay only if it arrived once and in time`(status: PacketStatus) {
        let found = statistics([row(.probe, 1, 10, status), row(.reply, 1, 20, status)])
        let measured = status == .ok || status == .reordered
        for side in [found.forward, found.reverse] {
            let counts = side.counts
            let all: [(PacketStatus, UInt64)] = [
                (.corrupt, counts.corrupt), (.duplicate, counts.duplicate), (.late, counts.late),
                (.lost, counts.lost), (.unknown, counts.unknown), (.reordered, counts.reordered), (.ok, counts.ok),
            ]
            for (kind, count) in all + [(.notSent, counts.notSent)] { #expect(count == (kind == status ? 1 : 0)) }
            #expect(side.delay.count == (measured ? 1 : 0))
        }
        #expect(found.roundTrip.count == (measured ? 1 : 0))
    }

    @Test func `The largest error bound is that of the measured rows of one direction`() {
        func bounded(_ sequence: UInt32, _ error: Int64?, _ status: PacketStatus = .ok) -> PacketRecord {
            var record = row(.probe, sequence, 10, status)
            record.delayError = error
            return record
        }
        let found = statistics([bounded(1, 500), bounded(2, 900), bounded(3, 700), bounded(4, nil)])
        #expect(found.forward.largestDelayError == 900)
        #expect(found.reverse.largestDelayError == nil)
        #expect(statistics([bounded(1, 500), bounded(2, 900, .late)]).forward.largestDelayError == 500)
    }

    @Test func `Sent and received count distinct packets`() {
        let found = statistics(PacketStatus.allCases.enumerated().map { row(.probe, UInt32($0), 1, $1) })
        #expect(found.forward.counts.received == 3)
        #expect(found.forward.counts.sent == 5)
        #expect(found.reverse.counts.sent == 0)
    }

    @Test func `The round trip is exactly the forward plus the reverse delay of a sequence number`() {
        var generator = SplitMix(state: 21)
        var expected = SignedHistogram()
        var rows: [PacketRecord] = []
        for sequence in 0..<1000 as Range<UInt32> {
            let offset = Int64(truncatingIfNeeded: generator.next()) >> 4
            let (forward, reverse) = (Int64.random(in: 0...99_999, using: &generator), Int64(sequence) * 77)
            rows.append(row(.probe, sequence, forward + offset))
            rows.append(row(.reply, sequence, reverse - offset))
            expected.record(forward + reverse)
        }
        let found = statistics(rows.shuffled(using: &generator))
        #expect(found.roundTrip.buckets == expected.buckets)
        #expect(found.roundTrip.mean == expected.mean)
        #expect(found.roundTrip.min == expected.min)
    }

    @Test func `A round trip needs both directions`() {
        #expect(statistics([row(.probe, 1, 10), row(.reply, 2, 10), row(.reply, 1, nil)]).roundTrip.isEmpty)
    }

    @Test func `A round trip never adds delays of a NIC and a host clock`() {
        let mixed = statistics([row(.probe, 1, 10, clock: .hardware), row(.reply, 1, 20, clock: .software)])
        #expect(mixed.roundTrip.isEmpty)
        let host = statistics([row(.probe, 1, 10, clock: .app), row(.reply, 1, 20, clock: .software)])
        #expect(values(host.roundTrip) == [30])
        let nic = statistics([row(.probe, 1, 10, clock: .hardware), row(.reply, 1, 20, clock: .hardware)])
        #expect(values(nic.roundTrip) == [30])
    }

    @Test func `IPDV is the later packet's delay minus the earlier one's`() {
        let found = statistics([row(.probe, 1, 10), row(.probe, 2, 15), row(.probe, 3, 9), row(.reply, 1, 50)])
        #expect(values(found.forward.ipdv) == [-6, 5])
        #expect(found.reverse.ipdv.isEmpty)
    }

    @Test func `IPDV does not depend on the order of the rows, and includes each pair once`() {
        let delays: [Int64] = [10, 15, 9, 100, -40, 7]
        let rows = delays.enumerated().map { row(.reply, UInt32($0), $1) }
        let expected = zip(delays.dropFirst(), delays).map { $0 - $1 }.sorted()
        var generator = SplitMix(state: 22)
        for _ in 0..<50 {
            #expect(values(statistics(rows.shuffled(using: &generator)).reverse.ipdv) == expected)
        }
    }

    @Test func `A lost packet has no pairs`() {
        let found = statistics([row(.probe, 1, 10), row(.probe, 2, 99, .lost), row(.probe, 3, 15), row(.probe, 4, 16)])
        #expect(values(found.forward.ipdv) == [1])
    }

    @Test func `IPDV continues when the sequence number wraps`() {
        let found = statistics([row(.probe, 0, 15), row(.probe, .max, 10), row(.probe, 1, 14)])
        #expect(values(found.forward.ipdv) == [-1, 5])
    }

    @Test func `IPDV never subtracts delays of different clocks`() {
        let found = statistics([
            row(.probe, 1, 10, clock: .hardware), row(.probe, 2, 15), row(.probe, 3, 18),
        ])
        #expect(values(found.forward.ipdv) == [3])
    }

    @Test func `A repeated row makes no second pair`() {
        let found = statistics([row(.probe, 1, 10), row(.probe, 2, 15), row(.probe, 2, 15), row(.reply, 2, 5)])
        #expect(values(found.forward.ipdv) == [5])
        #expect(values(found.roundTrip) == [20])
    }

    @Test func `A row beyond the window has no partner`() {
        var small = SessionStatistics(window: 4)
        for sequence in 0..<5 as Range<UInt32> { small.add(row(.probe, sequence, Int64(sequence) * 10)) }
        small.add(row(.reply, 0, 1))
        small.add(row(.reply, 1, 1))
        #expect(values(small.roundTrip) == [11])
        #expect(small.forward.ipdv.count == 4)
    }

    @Test(arguments: [-5, 0, 1, 3, Int.max])
    func `A window of any size is accepted`(window: Int) {
        var statistics = SessionStatistics(window: min(window, 100_000))
        statistics.add(row(.probe, 7, 1))
        statistics.add(row(.reply, 7, 2))
        #expect(values(statistics.roundTrip) == [3])
    }

    @Test func `The stages of the host path are between timestamps of one host`() {
        let found = statistics([fullRecord()]).forward.stages
        #expect(values(found.appToSched) == [1500])
        #expect(found.schedToDriver.mean == 2500)
        #expect(found.kernelToApp.mean == 15_655)
    }

    @Test func `Stages between NIC and host need converted hardware timestamps`() {
        var unconverted = fullRecord()
        unconverted.transmitHardwareRealtime = nil
        unconverted.receiveHardwareRealtime = nil
        let without = statistics([unconverted]).forward.stages
        #expect(without.driverToNIC.isEmpty)
        #expect(without.nicToKernel.isEmpty)
        #expect(without.largestConversionError == nil)
        let found = statistics([fullRecord()]).forward.stages
        #expect(found.largestConversionError == 70)
        #expect(found.driverToNIC.mean == 5000)
        #expect(found.nicToKernel.mean == 5345)
        #expect(HostPathStage.allCases.map { found[$0].mean } == [1500, 2500, 5000, 5345, 15_655])
    }

    @Test func `Stages are counted by direction`() {
        var reply = fullRecord()
        reply.packet = .reply
        let found = statistics([reply])
        #expect(found.forward.stages.appToSched.isEmpty)
        #expect(found.reverse.stages.appToSched.count == 1)
    }

    @Test func `A stage can be negative`() {
        var record = row(.probe, 1, nil)
        record.transmitApp = 100
        record.transmitSched = 90
        #expect(values(statistics([record]).forward.stages.appToSched) == [-10])
    }

    @Test func `Differences beyond Int64 are omitted`() {
        var record = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: .out)
        record.transmitApp = .min
        record.transmitSched = .max
        record.transmitSoftware = .min
        record.receiveSoftware = .max
        record.receiveApp = .min
        record.delay = .min
        var next = record
        next.sequence = 2
        next.delay = .max
        var reply = row(.reply, 1, .min)
        reply.delayClock = nil
        let found = statistics([record, next, reply])
        #expect(found.forward.delay.count == 2)
        #expect(found.forward.ipdv.isEmpty)
        #expect(found.roundTrip.isEmpty)
        #expect(HostPathStage.allCases.allSatisfy { found.forward.stages[$0].isEmpty })
    }

    @Test func `Every record is counted, whatever its values`() {
        var generator = SplitMix(state: 23)
        var statistics = SessionStatistics(tracksIntervals: true, window: 16)
        var neverSent: UInt64 = 0
        for _ in 0..<5000 {
            var record = randomRecord(&generator)
            record.sequence &= 63
            if record.status == .absent || record.status == .notSent { neverSent += 1 }
            statistics.add(record)
        }
        let sides = [statistics.forward.counts, statistics.reverse.counts]
        #expect(neverSent > 0)
        #expect(sides.reduce(0) { $0 + $1.sent + $1.duplicate + $1.corrupt } == 5000 - neverSent)
    }

    @Test(arguments: [3_000_000_000, -3_000_000_000] as [Int64])
    func `Relative delays keep their spread, whatever the offset of the clocks`(offset: Int64) throws {
        // A thousand delays from 100 us to 1.1 ms, in an order that begins in the middle.
        let delays = (0..<1000).map { offset + 100_000 + Int64(($0 * 617 + 500) % 1000) * 1000 }
        let found = statistics(delays.enumerated().map { row(.probe, UInt32($0.offset), $0.element) }).forward.delay
        for percentile in [1.0, 10, 50, 90, 99, 99.9] {
            let exact = offset + 100_000 + Int64(percentile * 10) * 1000 - 1000
            #expect(abs(try #require(found.valueAtPercentile(percentile)) - exact) <= 600, "\(percentile)")
        }
        #expect(found.min == offset + 100_000 && found.max == offset + 1_099_000)
        let sorted = delays.sorted()
        var seen = 0
        for bucket in found.buckets {
            #expect(sorted[seen..<seen + Int(bucket.count)].allSatisfy { (bucket.from...bucket.to).contains($0) })
            seen += Int(bucket.count)
        }
        #expect(seen == delays.count)
    }

    @Test func `Relative delays at the limits of Int64 are counted`() {
        for first in [Int64.min, .max, -2_000_000, 2_000_000] {
            let found = statistics([
                row(.probe, 1, first), row(.probe, 3, .min), row(.probe, 5, .max), row(.probe, 7, 0),
            ]).forward.delay
            #expect(found.count == 4 && found.buckets.reduce(0) { $0 + $1.count } == 4)
            #expect(found.valueAtPercentile(50) != nil)
        }
    }

    @Test func `Delays with an application timestamp are excluded if others have better ones`() {
        let mixed = statistics([
            row(.probe, 1, 10), row(.probe, 2, 9000, clock: .app), row(.probe, 3, 12), row(.reply, 2, 5),
        ])
        #expect(values(mixed.forward.delay) == [10, 12])
        #expect(mixed.forward.delaysByApplication == 1)
        #expect(mixed.forward.ipdv.isEmpty)
        #expect(mixed.roundTrip.isEmpty)
        let alone = statistics([row(.probe, 1, 10, clock: .app), row(.probe, 2, 12, clock: .app)])
        #expect(values(alone.forward.delay) == [10, 12])
        #expect(alone.forward.delaysByApplication == 0)
        #expect(values(alone.forward.ipdv) == [2])
    }

    @Test func `An interval has only the rows since its start`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        statistics.add(row(.probe, 1, 10))
        statistics.add(row(.reply, 1, 20))
        #expect(values(statistics.interval.roundTrip) == [30])
        statistics.startInterval()
        #expect(statistics.interval.roundTrip.isEmpty)
        statistics.add(row(.probe, 2, 11))
        statistics.add(row(.reply, 2, 22))
        #expect(values(statistics.interval.forward) == [11])
        #expect(values(statistics.interval.reverse) == [22])
        #expect(values(statistics.interval.roundTrip) == [33])
        #expect(values(statistics.roundTrip) == [30, 33])
    }

    @Test func `Intervals are empty unless they are requested`() {
        #expect(statistics([row(.probe, 1, 10)]).interval.forward.isEmpty)
    }
}
