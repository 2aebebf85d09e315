import Foundation
import Testing

@testable import Report

@Suite struct SampleComparisonTests {
    /// Statistics of a thousand packets in each direction, of which every tenth is sampled and the first is out of order.
    private func statistics() -> SampleComparison {
        var statistics = SampleComparison(group: 5)
        for sequence in 0..<1000 as Range<UInt32> {
            for direction in Direction.allCases {
                var record = fullRecord()
                record.packet = direction == .out ? .probe : .reply
                record.direction = direction
                record.sequence = sequence
                var probability: Double?
                if sequence % 10 == 0 {
                    record.sample = direction == .out ? sampleTime + 2000 : sampleTime + 24_400
                    record.sampleLatency = direction == .out ? 777 : nil
                    if sequence == 0, direction == .out { record.sample = sampleTime + 5000 }
                    record.sampleOrder = record.orderViolation() == nil ? .kept : .violated
                    if sequence == 10, direction == .in { record.sampleOrder = .clockSet }
                    probability = 0.1
                }
                statistics.add(record, record.orderViolation(), probability: probability)
            }
        }
        statistics.counts.heard = 210
        statistics.counts.tooShort = 3
        statistics.counts.lost = 2
        statistics.withoutRow = 5
        return statistics
    }

    @Test func `Shares are counted by direction, with their standard deviation`() throws {
        let statistics = statistics()
        #expect(statistics.egress.packets == 1000)
        #expect(statistics.egress.sampled == 100)
        #expect(statistics.ingress.sampled == 100)
        #expect(statistics.egress.probability == 0.1)
        // sqrt(0.1 * 0.9 / 1000)
        #expect(abs(try #require(statistics.egress.deviation) - 0.009_486_8) < 1e-6)
        #expect(statistics.egress.violated == 1)
        #expect(statistics.egress.kept == 99)
        #expect(statistics.ingress.clockSet == 1)
        #expect(statistics.violations.count == 1)
    }

    @Test func `The distributions include only packets in order`() {
        let statistics = statistics()
        #expect(statistics.schedToSample.count == 99)
        #expect(statistics.schedToSample.max == 500)
        #expect(statistics.sampleToDriver.min == 2000)
        #expect(statistics.softwareToSample.count == 99)
        #expect(statistics.softwareToSample.max == 55)
        #expect(statistics.egress.latency.count == 100)
        #expect(statistics.ingress.latency.isEmpty)
    }

    @Test(arguments: Direction.allCases)
    func `The distributions exclude packets during a forward clock step`(direction: Direction) {
        var statistics = SampleComparison(group: 5)
        var record = fullRecord()
        record.direction = direction
        record.sample = direction == .out ? sampleTime + 2000 : sampleTime + 24_400
        record.sampleOrder = .kept
        record.clockEpoch = nil
        statistics.add(record, nil, probability: 1)
        #expect(statistics.egress.sampled + statistics.ingress.sampled == 1)
        #expect(statistics.schedToSample.isEmpty && statistics.sampleToDriver.isEmpty)
        #expect(statistics.softwareToSample.isEmpty)
    }

    @Test func `Lost packets, unsent packets and duplicates are not counted`() {
        var statistics = SampleComparison(group: 5)
        statistics.add(
            PacketRecord(session: 1, packet: .reply, sequence: 1, direction: .in, status: .lost), nil, probability: nil)
        statistics.add(
            PacketRecord(session: 1, packet: .reply, sequence: 1, direction: .out, status: .absent), nil,
            probability: nil)
        var copy = fullRecord()
        copy.status = .duplicate
        statistics.add(copy, nil, probability: nil)
        copy.direction = .in
        statistics.add(copy, nil, probability: nil)
        #expect(statistics.egress.packets == 0)
        #expect(statistics.ingress.packets == 0)
    }

    @Test func `Samplers with different rates give no expected share`() {
        var statistics = SampleComparison(group: 5)
        for probability in [0.1, nil, 0.1] { statistics.add(fullRecord(), nil, probability: probability) }
        #expect(statistics.egress.probability == 0.1)
        statistics.add(fullRecord(), nil, probability: 0.5)
        statistics.add(fullRecord(), nil, probability: 0.5)
        #expect(statistics.egress.probability == nil)
        #expect(statistics.egress.deviation == nil)
    }

    @Test func `A sampler of every packet gives a deviation of 0`() {
        var statistics = SampleComparison(group: 5)
        statistics.add(fullRecord(), nil, probability: 1)
        #expect(statistics.egress.deviation == 0)
    }

    @Test func `The text shows shares, order, losses and the violation`() {
        var summary = sampleSummary(relative: false)
        #expect(!summary.text().contains("psample"))
        summary.samples = statistics()
        let text = summary.text(width: 200)
        for line in [
            "samples of psample group 5:",
            "  out: 100 of 1000 packets, 10.00 %; expected: 10.00 % +- 1.90 %",
            "  in: 100 of 1000 packets, 10.00 %; expected: 10.00 % +- 1.90 %",
            "  order of timestamps and samples: 198 in order, 1 out of order, 1 out of order because of a clock step",
            "    outgoing probe 0 was passed to the driver at 2026-11-21T10:14:00.123460789Z, 1.000 us before it was "
                + "sampled at 2026-11-21T10:14:00.123461789Z",
            "  samples: 210 received, 3 too short, 2 lost, 5 unmatched",
        ] {
            #expect(text.contains(line + "\n"), "\(line) is not in \(text)")
        }
        for label in ["sched to sample", "sample to driver", "software to sample", "sample latency out"] {
            #expect(text.contains("\n" + label))
        }
        #expect(!text.contains("sample latency in"))
    }

    @Test func `A run without sampled packets is reported with the remedy`() {
        var statistics = SampleComparison(group: 7)
        statistics.add(fullRecord(), nil, probability: nil)
        let text = statistics.lines().joined(separator: "\n")
        #expect(text.contains("out: 0 of 1 packets, 0.00 %\n"))
        #expect(text.contains("in: no packets"))
        #expect(text.contains("Set up group 7 on this interface with scripts/psample-setup."))
    }

    @Test func `All violations are counted, and the first are kept`() {
        var statistics = SampleComparison(group: 5)
        var record = fullRecord()
        record.sample = sampleTime
        record.sampleOrder = .violated
        for _ in 0..<20 { statistics.add(record, record.orderViolation(), probability: 1) }
        #expect(statistics.violated == 20)
        #expect(statistics.violations.count == SampleComparison.violationLimit)
        #expect(statistics.lines().contains("    and 12 more"))
    }

    @Test func `The JSON has shares, counts, distributions and violations`() throws {
        var summary = sampleSummary(relative: false)
        summary.samples = statistics()
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(summary.json().utf8)) as? [String: Any])
        let samples = try #require(object["samples"] as? [String: Any])
        #expect(samples["group"] as? Int == 5)
        #expect(samples["lost"] as? Int == 2)
        let egress = try #require(samples["egress"] as? [String: Any])
        #expect(egress["share"] as? Double == 0.1)
        #expect(egress["expected"] as? Double == 0.1)
        #expect(egress["violated"] as? Int == 1)
        #expect((samples["sched_to_sample"] as? [String: Any])?["count"] as? Int == 99)
        #expect(samples["sample_latency_in"] == nil)
        let violations = try #require(samples["violations"] as? [[String: Any]])
        #expect(violations.count == 1)
        #expect(violations[0]["first"] as? String == "sample")
        #expect(violations[0]["first_ns"] as? Int64 == sampleTime + 5000)
        #expect(violations[0]["second"] as? String == "driver")
        #expect(violations[0]["second_ns"] as? Int64 == sampleTime + 4000)
    }

    @Test func `The histogram file has the distributions, and can be read again`() throws {
        var export = HistogramExport()
        export.add(session: 1, statistics())
        let bytes = export.csv()
        #expect(bytes.text.contains("0000000000000001,sched_to_sample,,"))
        var read = HistogramExport()
        try read.merge(csv: bytes)
        #expect(read.csv() == bytes)
        #expect(
            read.keys.map(\.metric) == [
                "sched_to_sample", "sample_to_driver", "software_to_sample", "sample_latency_out",
            ])
    }
}
