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
            (.local, 500, 60, "this host's clock was set forward by 500 ns, give or take 60 ns"),
            (.peer, 998_700_000, 3_100_000, "the peer's clock was set forward by 998.7 ms, give or take 3.100 ms"),
            (.peer, -1_000_000_000, 3_100_000, "the peer's clock was set back by 1.000 s, give or take 3.100 ms"),
            (.peer, -1_000_000, 3_000_000, "the peer's clock was set by 4.000 ms at most"),
            (.peer, nil, nil, "the peer's clock was set"),
            (.peer, .min, .max, "the peer's clock was set back by 9.223e9 s, give or take 9.223e9 s"),
            (.peer, .max, .max, "the peer's clock was set by 9.223e9 s at most"),
        ] as [(ClockStep.Side, Int64?, Int64?, String)])
    func `a step in words`(_ side: ClockStep.Side, _ amount: Int64?, _ error: Int64?, _ text: String) {
        #expect(step(side, amount, error).text == text)
    }

    @Test func `a step as an object, to the byte`() {
        #expect(
            step(.peer, -5, 2).jsonValue(ofSession: true).compact
                == "{\"epoch\":1,\"clock\":\"peer\",\"noticed\":\"2026-11-21T10:14:00.123456789Z\","
                + "\"noticed_ns\":1795256040123456789,\"from_probe\":250,\"by_ns\":-5,\"error_ns\":2}")
        #expect(
            step(.local, nil, nil).jsonValue(ofSession: true).compact.hasSuffix("\"by_ns\":null,\"error_ns\":null}"))
    }

    @Test func `the first sixteen are listed and the others counted`() {
        var steps = ClockSteps()
        #expect(steps.lines().isEmpty && steps.jsonValue() == nil)
        for _ in 0..<16 { steps.add(step(.peer, nil, nil)) }
        #expect(steps.settleLast(amount: 7, error: 1)?.amount == 7)
        #expect(steps.listed.last?.error == 1)
        for _ in 0..<4 { steps.add(step(.peer, nil, nil)) }
        #expect(steps.count == 20 && steps.listed.count == 16)
        #expect(steps.settleLast(amount: 8, error: 1) == nil, "the last one has no place")
        #expect(steps.last == nil)
        #expect(steps.listed.last?.amount == 7)
        #expect(steps.lines().last == "  and 4 more")
        #expect(steps.lines().count == 18)
    }

    /// Five probes, a step, two on their way, five more.
    private func stepped() -> SessionStatistics {
        var statistics = SessionStatistics(tracksIntervals: true)
        for sequence in UInt32(1)...12 {
            let isAfter = sequence > 5
            let isCrossing = sequence == 6 || sequence == 7
            for packet in PacketKind.allCases {
                let offset: Int64 = isAfter ? (packet == .probe ? 1_000_000 : -1_000_000) : 0
                var record = row(packet, sequence, isCrossing ? nil : offset + 100 + Int64(sequence))
                record.clockEpoch = isCrossing ? nil : isAfter ? 1 : 0
                // Of a crossing row they are of both sides of the step.
                record.receiveSoftware = 0
                record.receiveApp = isCrossing ? 1_000_000 : 10
                statistics.add(record)
            }
        }
        return statistics
    }

    @Test func `no figure mixes delays from before and after a step`() {
        let found = stepped()
        for (side, offset) in [(found.forward, Int64(1_000_000)), (found.reverse, -1_000_000)] {
            #expect(side.delay.count == 5 && side.delay.min == 101 && side.delay.max == 105)
            #expect(side.later.map(\.epoch) == [1])
            #expect(side.newest.delay.count == 5)
            #expect(side.newest.delay.min == offset + 108 && side.newest.delay.max == offset + 112)
            #expect(side.ipdv.count == 8 && side.ipdv.min == 1 && side.ipdv.max == 1)
            #expect(side.crossing == 2)
            #expect(side.stages[.kernelToApp].count == 10 && side.stages[.kernelToApp].max == 10)
            #expect(side.counts.ok == 12, "they arrived all the same")
        }
        #expect(found.roundTrip.count == 10)
        #expect(found.roundTrip.min == 202 && found.roundTrip.max == 224)
    }

    @Test func `neighbours and directions of different epochs are no pair, though they have delays`() {
        var statistics = SessionStatistics()
        var later = row(.probe, 2, 1_000_010)
        later.clockEpoch = 1
        var reply = row(.reply, 1, -999_990)
        reply.clockEpoch = 1
        for record in [row(.probe, 1, 10), later, reply] { statistics.add(record) }
        #expect(statistics.forward.ipdv.isEmpty)
        #expect(statistics.roundTrip.isEmpty)
    }

    @Test func `a delay that came with no clock epoch is in no figure`() {
        var statistics = SessionStatistics()
        var record = row(.probe, 1, 10)
        record.clockEpoch = nil
        statistics.add(record)
        #expect(statistics.forward.delay.isEmpty && statistics.forward.later.isEmpty)
        #expect(statistics.forward.crossing == 1)
    }

    @Test func `the live line shows the newest clock epoch alone`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        statistics.add(row(.probe, 1, 10))
        var later = row(.probe, 2, 1_000_010)
        later.clockEpoch = 1
        statistics.add(later)
        #expect(statistics.interval.forward.min == 1_000_010)
        statistics.add(row(.probe, 0, 11))
        #expect(statistics.interval.forward.count == 1, "a row from before that was late")
        statistics.startInterval()
        statistics.add(row(.probe, 3, 12))
        #expect(statistics.interval.forward.isEmpty)
    }

    @Test func `epochs beyond the limit are counted and mix with nothing`() {
        var statistics = SessionStatistics()
        for epoch in UInt16(0)..<100 {
            var record = row(.probe, UInt32(epoch) * 2, Int64(epoch) * 1_000_000)
            record.clockEpoch = epoch
            statistics.add(record)
        }
        let found = statistics.forward
        #expect(found.epochs.count == SessionStatistics.epochLimit)
        #expect(found.epochs.allSatisfy { $0.delay.count == 1 })
        #expect(found.delaysLeftOut == 84)
    }

    @Test func `the error of a clock epoch is its own`() {
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

    @Test func `the text of a run with a step, to the byte`() {
        let lines = summary().text().split(separator: "\n", omittingEmptySubsequences: false).prefix(11)
        let expected = """
            session 1 to 192.0.2.2 over eth0, 5 ns
            lost: 0 of 0 sent
            clocks: c
            clock steps: 1; delays of each clock epoch are kept apart, as #0, #1, …
              #1, from probe 6 on: the peer's clock was set forward by 1.000 ms, give or
                take 150 ns (2026-11-21T10:14:00.123456789Z)
              on the path during a step, without a delay: 2 probes, 2 replies

                                       min       p50       p90       p99     p99.9       max
            forward #0 relative     101 ns    103 ns    105 ns    105 ns    105 ns    105 ns
            forward #1 relative   1.000 ms  1.000 ms  1.000 ms  1.000 ms  1.000 ms  1.000 ms
            """
        #expect(lines.joined(separator: "\n") == expected)
    }

    @Test func `in the object of a run with a step the delay is that of the first clock epoch, and all are reported`()
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

    @Test func `a run without a step has nothing of it`() {
        let summary = sampleSummary(relative: true)
        for key in ["clock_steps", "delays", "crossing"] { #expect(!summary.json().contains("\"\(key)\"")) }
        #expect(!summary.text().contains("#"))
    }

    @Test func `histograms of different epochs keep apart, in the file and when files are merged`() throws {
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
    func `a metric that no export writes is refused`(_ metric: String) {
        var export = HistogramExport()
        let text = HistogramExport.header + "\n0000000000000001,\(metric),forward,1,1,1,1,100.0\n"
        #expect(throws: HistogramExportError.field(line: 2, column: "metric", text: metric)) {
            try export.merge(csv: Array(text.utf8))
        }
    }

    @Test func `a row during which a clock was set has no delay and keeps its stamps`() {
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
