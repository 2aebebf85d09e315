import Testing

@testable import Report

@Suite struct StatusLinesTests {
    @Test func `Socket statistics are written as text and as JSON`() {
        let line = StatisticsLine(.init(packets: 1000, drops: 2, freezes: 3))
        #expect(line.text() == "STATS packets=1000 drops=2 queue_freezes=3\n")
        #expect(line.json() == "{\"type\":\"stats\",\"packets\":1000,\"drops\":2,\"queue_freezes\":3}\n")
    }

    @Test func `A live line shows the counts, and the interval's median and 99th percentile`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        for sequence in 0..<100 as Range<UInt32> {
            statistics.add(row(.probe, sequence, 1000 + Int64(sequence)))
            statistics.add(row(.reply, sequence, -500))
        }
        let line = LiveLine(
            elapsed: 3_725_900_000_000, sent: 1000, received: 998, lostForward: 1, lostReverse: 2, lostUnknown: 0,
            interval: statistics.interval, relative: true)
        #expect(line.text() == "01:02:05 sent 1000 recv 998 lost 1/2 fwd~1.049 us rev~-500 ns rtt 549 ns")
        #expect(
            line.text(width: 120)
                == "01:02:05 sent 1000 recv 998 lost 1/2 fwd~1.049 us/1.098 us rev~-500 ns/-500 ns rtt 549 ns/598 ns")
        #expect(line.text(width: 20) == "01:02:05 sent 1000 ")
    }

    @Test func `A live line without replies has dashes, and shows refused probes and losses of unknown direction`() {
        let line = LiveLine(
            elapsed: 0, sent: 7, received: 0, lostForward: 0, lostReverse: 0, lostUnknown: 5, notSent: 3,
            interval: SessionStatistics().interval, relative: false)
        #expect(line.text() == "00:00:00 sent 7 unsent 3 recv 0 lost 0/0/5? fwd - rev - rtt -")
    }

    @Test func `A live line of several peers shows their number and the silent ones, and no delays`() {
        var line = LiveLine(
            elapsed: 5_000_000_000, sent: 1500, received: 1400, lostForward: 1, lostReverse: 2, lostUnknown: 3,
            interval: SessionStatistics().interval, relative: true)
        line.peers = 100
        #expect(line.text() == "00:00:05 sent 1500 recv 1400 lost 1/2/3?, 100 peers")
        line.silentPeers = 4
        #expect(line.text() == "00:00:05 sent 1500 recv 1400 lost 1/2/3?, 100 peers, 4 silent")
        #expect(line.text(width: 20) == "00:00:05 sent 1500 ")
    }

    @Test func `A live line is shorter than 80 columns even after a day`() {
        var statistics = SessionStatistics(tracksIntervals: true)
        statistics.add(row(.probe, 1, -123_456_789_012))
        statistics.add(row(.reply, 1, 123_456_800_000))
        let line = LiveLine(
            elapsed: 90_000_000_000_000, sent: 8_640_000, received: 8_639_000, lostForward: 500, lostReverse: 400,
            lostUnknown: 100, interval: statistics.interval, relative: true)
        #expect(line.text().count < 80)
        #expect(line.text().contains(" rev~123.5 s"))
    }

    @Test(arguments: [(Int64.min, "-2562047:47:16"), (.max, "2562047:47:16"), (360_000_000_000_000, "100:00:00")])
    func `Any elapsed time can be shown`(elapsed: Int64, expected: String) {
        let line = LiveLine(
            elapsed: elapsed, sent: 0, received: 0, lostForward: 0, lostReverse: 0, lostUnknown: 0,
            interval: SessionStatistics().interval, relative: false)
        #expect(line.text().hasPrefix(expected + " sent 0"))
    }
}
