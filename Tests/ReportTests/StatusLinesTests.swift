import Testing

@testable import Report

@Suite struct StatusLinesTests {
    @Test func `socket statistics as text and as an object`() {
        let line = StatisticsLine(.init(packets: 1000, drops: 2, freezes: 3))
        #expect(line.text() == "STATS packets=1000 drops=2 queue_freezes=3\n")
        #expect(line.json() == "{\"type\":\"stats\",\"packets\":1000,\"drops\":2,\"queue_freezes\":3}\n")
    }

    @Test func `a live line shows counts and the interval's median and 99th percentile`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        for sequence in 0..<100 as Range<UInt32> {
            statistics.add(row(.probe, sequence, 1000 + Int64(sequence)))
            statistics.add(row(.reply, sequence, -500))
        }
        let line = LiveLine(
            elapsed: 3_725_900_000_000, sent: 1000, received: 998, lostForward: 1, lostReverse: 2,
            interval: statistics.interval, relative: true)
        #expect(
            line.text()
                == "01:02:05 sent 1000 recv 998 lost 1/2 fwd~  1.049 us/  1.098 us rev~   -500 ns/   -500 ns"
                + " rtt     549 ns/    598 ns")
    }

    @Test func `a live line without replies has dashes of the same width`() {
        let line = LiveLine(
            elapsed: 0, sent: 7, received: 0, lostForward: 0, lostReverse: 0, interval: SessionStatistics().interval,
            relative: false)
        #expect(
            line.text()
                == "00:00:00 sent 7 recv 0 lost 0/0 fwd          -/         - rev          -/         -"
                + " rtt          -/         -")
    }

    @Test(arguments: [(Int64.min, "-2562047:47:16"), (.max, "2562047:47:16"), (360_000_000_000_000, "100:00:00")])
    func `any elapsed time is shown`(elapsed: Int64, expected: String) {
        let line = LiveLine(
            elapsed: elapsed, sent: 0, received: 0, lostForward: 0, lostReverse: 0,
            interval: SessionStatistics().interval, relative: false)
        #expect(line.text().hasPrefix(expected + " sent 0"))
    }
}
