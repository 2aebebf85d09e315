import Foundation
import Testing

@testable import Report

@Suite struct ClockStepTests {
    private func step(_ side: ClockStep.Side, _ amount: Int64?, _ error: Int64?) -> ClockStep {
        ClockStep(side: side, epoch: 1, noticed: sampleTime, sequence: 250, amount: amount, error: error)
    }

    @Test(
        arguments: [
            (.local, 1_000_000_000, 62, "this host's clock was set forward by 1.000 s"),
            (.local, -37_000_000_000, 62, "this host's clock was set back by 37.00 s"),
            (.local, 500, 60, "this host's clock was set forward by 500 ns +- 60 ns"),
            (.peer, 998_700_000, 3_100_000, "the peer's clock was set forward by 998.7 ms +- 3.100 ms"),
            (.peer, -1_000_000_000, 3_100_000, "the peer's clock was set back by 1.000 s +- 3.100 ms"),
            (.peer, -1_000_000, 3_000_000, "the peer's clock was set by 4.000 ms at most"),
            (.peer, nil, nil, "the peer's clock was set"),
            (.peer, .min, .max, "the peer's clock was set back by 9.223e9 s +- 9.223e9 s"),
            (.peer, .max, .max, "the peer's clock was set by 9.223e9 s at most"),
        ] as [(ClockStep.Side, Int64?, Int64?, String)])
    func `A step is described as text`(_ side: ClockStep.Side, _ amount: Int64?, _ error: Int64?, _ text: String) {
        #expect(step(side, amount, error).text == text)
    }

    @Test func `The JSON of a step is exact to the byte`() {
        #expect(
            step(.peer, -5, 2).jsonValue(ofSession: true).compact
                == "{\"epoch\":1,\"clock\":\"peer\",\"noticed\":\"2026-11-21T10:14:00.123456789Z\","
                + "\"noticed_ns\":1795256040123456789,\"from_probe\":250,\"by_ns\":-5,\"error_ns\":2}")
        #expect(
            step(.local, nil, nil).jsonValue(ofSession: true).compact.hasSuffix("\"by_ns\":null,\"error_ns\":null}"))
    }

    @Test func `The first 16 steps are listed, and all are counted`() {
        var steps = ClockSteps()
        #expect(steps.lines().isEmpty && steps.jsonValue() == nil)
        for _ in 0..<16 { steps.add(step(.peer, nil, nil)) }
        #expect(steps.settleLast(amount: 7, error: 1)?.amount == 7)
        #expect(steps.listed.last?.error == 1)
        for _ in 0..<4 { steps.add(step(.peer, nil, nil)) }
        #expect(steps.count == 20 && steps.listed.count == 16)
        #expect(steps.settleLast(amount: 8, error: 1) == nil, "the last step is not listed")
        #expect(steps.last == nil)
        #expect(steps.listed.last?.amount == 7)
        #expect(steps.lines().last == "  and 4 more")
        #expect(steps.lines().count == 18)
    }

    /// Statistics of five probes before a step, two during it, and five after it.
    private func stepped() -> SessionStatistics {
        var statistics = SessionStatistics(tracksIntervals: true)
        for sequence in UInt32(1)...12 {
            let isAfter = sequence > 5
            let isCrossing = sequence == 6 || sequence == 7
            for packet in PacketKind.allCases {
                let offset: Int64 = isAfter ? (packet == .probe ? 1_000_000 : -1_000_000) : 0
                var record = row(packet, sequence, isCrossing ? nil : offset + 100 + Int64(sequence))
                record.clockEpoch = isCrossing ? nil : isAfter ? 1 : 0
                // In a crossing row the two are on different sides of the step.
                record.receiveSoftware = 0
                record.receiveApp = isCrossing ? 1_000_000 : 10
                statistics.add(record)
            }
        }
        return statistics
    }

    @Test func `No figure mixes delays from before and after a step`() {
        let found = stepped()
        for (side, offset) in [(found.forward, Int64(1_000_000)), (found.reverse, -1_000_000)] {
            #expect(side.delay.count == 5 && side.delay.min == 101 && side.delay.max == 105)
            #expect(side.later.map(\.epoch) == [1])
            #expect(side.newest.delay.count == 5)
            #expect(side.newest.delay.min == offset + 108 && side.newest.delay.max == offset + 112)
            #expect(side.ipdv.count == 8 && side.ipdv.min == 1 && side.ipdv.max == 1)
            #expect(side.crossing == 2)
            #expect(side.stages[.kernelToApp].count == 10 && side.stages[.kernelToApp].max == 10)
            #expect(side.counts.ok == 12, "packets during the step arrived")
        }
        #expect(found.roundTrip.count == 10)
        #expect(found.roundTrip.min == 202 && found.roundTrip.max == 224)
    }

    @Test func `Delays of different clock epochs are never combined`() {
        var statistics = SessionStatistics()
        var later = row(.probe, 2, 1_000_010)
        later.clockEpoch = 1
        var reply = row(.reply, 1, -999_990)
        reply.clockEpoch = 1
        for record in [row(.probe, 1, 10), later, reply] { statistics.add(record) }
        #expect(statistics.forward.ipdv.isEmpty)
        #expect(statistics.roundTrip.isEmpty)
    }

    @Test func `A delay without a clock epoch is in no figure`() {
        var statistics = SessionStatistics()
        var record = row(.probe, 1, 10)
        record.clockEpoch = nil
        statistics.add(record)
        #expect(statistics.forward.delay.isEmpty && statistics.forward.later.isEmpty)
        #expect(statistics.forward.crossing == 1)
    }

    @Test func `The live line shows only the newest clock epoch`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        statistics.add(row(.probe, 1, 10))
        var later = row(.probe, 2, 1_000_010)
        later.clockEpoch = 1
        statistics.add(later)
        #expect(statistics.interval.forward.min == 1_000_010)
        statistics.add(row(.probe, 0, 11))
        #expect(statistics.interval.forward.count == 1, "a late row of the earlier epoch")
        statistics.startInterval()
        statistics.add(row(.probe, 3, 12))
        #expect(statistics.interval.forward.isEmpty)
    }

    @Test func `Delays of clock epochs beyond the limit are only counted`() {
        var statistics = SessionStatistics()
        for epoch in UInt16(0)..<100 {
            var record = row(.probe, UInt32(epoch) * 2, Int64(epoch) * 1_000_000)
            record.clockEpoch = epoch
            statistics.add(record)
        }
        let found = statistics.forward
        #expect(found.epochs.count == SessionStatistics.epochLimit)
        #expect(found.epochs.allSatisfy { $0.delay.count == 1 })
        #expect(found.delaysBeyondEpochLimit == 84)
    }

    @Test func `Each clock epoch has its own error bound`() {
        var statistics = SessionStatistics()
        var before = row(.probe, 1, 10)
        before.delayError = 1
        var after = row(.probe, 2, 10)
        after.clockEpoch = 1
        statistics.add(before)
        statistics.add(after)
        #expect(statistics.forward.largestDelayError == 1)
        #expect(statistics.forward.newest.largestDelayError == nil)
    }

    private func summary() -> RunSummary {
        var steps = ClockSteps()
        steps.add(
            ClockStep(side: .peer, epoch: 1, noticed: sampleTime, sequence: 6, amount: 1_000_000, error: 150))
        return RunSummary(
            session: "1", peer: "192.0.2.2", interface: "eth0", duration: 5, statistics: stepped(), relative: true,
            clockNote: "c", clockSteps: steps)
    }

    @Test func `The text of a run with a step is exact to the byte`() {
        let lines = summary().text().split(separator: "\n", omittingEmptySubsequences: false).prefix(11)
        let expected = """
            session 1 to 192.0.2.2 over eth0, 5 ns
            lost: 0 of 0 sent
            clocks: c
            clock steps: 1; delays of each clock epoch are separate: #0, #1, …
              #1, from probe 6 on: the peer's clock was set forward by 1.000 ms +- 150 ns
                (2026-11-21T10:14:00.123456789Z)
              on the path during a step, without a delay: 2 probes, 2 replies

                                       min       p50       p90       p99     p99.9       max
            forward #0 relative     101 ns    103 ns    105 ns    105 ns    105 ns    105 ns
            forward #1 relative   1.000 ms  1.000 ms  1.000 ms  1.000 ms  1.000 ms  1.000 ms
            """
        #expect(lines.joined(separator: "\n") == expected)
    }

    @Test func `The JSON of a run with a step has the delays of the first clock epoch, and of each`()
        throws
    {
        let json = summary().json()
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let steps = try #require(object["clock_steps"] as? [[String: Any]])
        #expect(steps.count == 1 && steps[0]["by_ns"] as? Int == 1_000_000)
        let forward = try #require(object["forward"] as? [String: Any])
        #expect((forward["delay"] as? [String: Any])?["max_ns"] as? Int == 105)
        let delays = try #require(forward["delays"] as? [[String: Any]])
        #expect(delays.map { $0["clock_epoch"] as? Int } == [0, 1])
        #expect(delays.map { ($0["delay"] as? [String: Any])?["min_ns"] as? Int } == [101, 1_000_108])
        #expect(forward["crossing"] as? Int == 2)
        #expect(forward["delays_left_out"] as? Int == 0)
    }

    @Test func `A run without a step mentions no clock epoch`() {
        let summary = sampleSummary(relative: true)
        for key in ["clock_steps", "delays", "crossing"] { #expect(!summary.json().contains("\"\(key)\"")) }
        #expect(!summary.text().contains("#"))
    }

    @Test func `Histograms of different clock epochs are separate, in a file and in merged files`() throws {
        var export = HistogramExport()
        export.add(session: 1, stepped())
        #expect(
            export.keys.map { "\($0.metric) \($0.direction)" } == [
                "delay forward", "delay#1 forward", "delay reverse", "delay#1 reverse", "rtt ", "ipdv forward",
                "ipdv reverse", "software_to_app forward", "software_to_app reverse",
            ])
        var merged = HistogramExport()
        try merged.merge(csv: export.csv())
        try merged.merge(csv: export.csv())
        #expect(merged.keys == export.keys)
        let key = HistogramExport.Key(session: 1, metric: "delay", packet: .probe)
        #expect(merged.buckets(key).map(\.to).max() == 105)
        #expect(merged.buckets(key).reduce(0) { $0 + $1.count } == 10)
    }

    @Test(arguments: [
        "delay#", "delay#0", "delay#01", "delay#+1", "delay#65536", "delay#-1", "rtt#1", "#1", "delay#1#2",
    ])
    func `A metric that no export writes is rejected`(_ metric: String) {
        var export = HistogramExport()
        let text = HistogramExport.header + "\n0000000000000001,\(metric),forward,1,1,1,1,100.0\n"
        #expect(throws: HistogramExportError.field(line: 2, column: "metric", text: metric)) {
            try export.merge(csv: Array(text.utf8))
        }
    }

    @Test func `A row during a clock step has no delay, and keeps its timestamps`() {
        var record = fullRecord()
        record.clockEpoch = nil
        for usingHardware in [false, true] {
            record.computeDelay(error: 5, usingHardware: usingHardware)
            #expect(record.delay == nil && record.delayError == nil && record.delayClock == nil)
            #expect(record.transmitStamp == .hardware && record.receiveSoftware != nil)
        }
        var bytes: [UInt8] = []
        PacketLine.append(record, to: &bytes)
        #expect(bytes.text.contains(" delay=- clock=set"))
    }
}
