import Testing

@testable import STAMPSession

@Suite struct ScheduleTests {
    private func gaps(_ pattern: SchedulePattern, _ interval: Int64, count: Int) -> [Int64] {
        var schedule = Schedule(pattern, intervalNanoseconds: interval)
        return (0..<count).map { _ in schedule.gap() }
    }

    @Test func `A periodic schedule has one gap`() {
        #expect(gaps(.periodic, 12_345, count: 4) == [12_345, 12_345, 12_345, 12_345])
    }

    @Test func `An interval of less than a nanosecond is one nanosecond`() {
        #expect(gaps(.periodic, 0, count: 1) == [1])
        #expect(gaps(.periodic, -5, count: 1) == [1])
    }

    @Test func `The probes of a burst share a deadline, and bursts keep the mean interval`() {
        #expect(gaps(.burst(3), 100, count: 7) == [0, 0, 300, 0, 0, 300, 0])
        #expect(gaps(.burst(1), 100, count: 3) == [100, 100, 100])
        #expect(gaps(.burst(0), 100, count: 3) == [100, 100, 100])
        #expect(gaps(.burst(2), .max, count: 2) == [0, .max])
    }

    /// An exponential distribution of n values has a mean within 4 σ / √n of the interval, and so have its tails.
    @Test(arguments: [UInt64(0), 1, 2, 0xDEAD_BEEF])
    func `A poisson schedule has exponential gaps`(_ seed: UInt64) {
        let count = 200_000
        let interval: Int64 = 1_000_000
        let gaps = gaps(.poisson(seed: seed), interval, count: count)
        let mean = Double(gaps.reduce(0, +)) / Double(count)
        #expect(abs(mean / Double(interval) - 1) < 4 / Double(count).squareRoot(), "seed \(seed)")
        let variance =
            gaps.reduce(0.0) { $0 + (Double($1) / Double(interval) - 1) * (Double($1) / Double(interval) - 1) }
            / Double(count)
        #expect(abs(variance - 1) < 0.05, "seed \(seed)")
        // P(gap > n intervals) = exp(-n).
        for (multiple, expected) in [(0.5, 0.60653), (1, 0.36788), (2, 0.13534), (4, 0.01832)] {
            let share = Double(gaps.count { Double($0) > multiple * Double(interval) }) / Double(count)
            let bound = 4 * (expected * (1 - expected) / Double(count)).squareRoot()
            #expect(abs(share - expected) < bound, "seed \(seed), more than \(multiple) intervals")
        }
        #expect(gaps.allSatisfy { $0 >= 0 })
    }

    @Test(arguments: [UInt64(3), 4])
    func `A poisson schedule has no memory`(_ seed: UInt64) {
        let interval: Int64 = 1_000_000
        let gaps = gaps(.poisson(seed: seed), interval, count: 200_000)
        // Among the gaps that exceed an interval, the same share exceeds the next one.
        let long = gaps.filter { $0 > interval }
        let share = Double(long.count { $0 > 2 * interval }) / Double(long.count)
        #expect(abs(share - 0.36788) < 4 * (0.2325 / Double(long.count)).squareRoot())
        // The gap after a long one is as long as any other.
        let after = gaps.indices.dropLast().filter { gaps[$0] > interval }.map { Double(gaps[$0 + 1]) }
        let mean = after.reduce(0, +) / Double(after.count) / Double(interval)
        #expect(abs(mean - 1) < 4 / Double(after.count).squareRoot())
    }

    @Test func `A poisson gap beyond the range of time is the largest`() {
        let gaps = gaps(.poisson(seed: 1), .max, count: 1000)
        #expect(gaps.contains(.max) && gaps.allSatisfy { $0 >= 0 })
    }

    @Test func `The seed determines a poisson schedule`() {
        let first = gaps(.poisson(seed: 9), 1000, count: 50)
        #expect(first == gaps(.poisson(seed: 9), 1000, count: 50))
        #expect(first != gaps(.poisson(seed: 10), 1000, count: 50))
        #expect(Set(first).count > 40)
    }
}

@Suite struct ScheduledProbesTests {
    @Test func `Deadlines follow the schedule, not the time of sending`() throws {
        let bench = SenderBench()
        try bench.open()
        let first = bench.nextSend
        for number in 0..<5 as Range<Int64> {
            bench.move(to: first + number * SenderBench.interval + 3 * millisecond)
            try bench.send()
            #expect(bench.nextSend == first + (number + 1) * SenderBench.interval)
        }
    }

    @Test func `The probes of a burst are due together`() throws {
        let bench = SenderBench { $0.schedule = .burst(3) }
        try bench.open()
        let first = bench.nextSend
        try bench.send()
        #expect(bench.nextSend == first)
        try bench.send()
        #expect(bench.nextSend == first)
        try bench.send()
        #expect(bench.nextSend == first + 30 * millisecond)
    }

    @Test func `A row has the time from the deadline to the sending`() throws {
        let bench = SenderBench(.stateless)
        try bench.open()
        bench.move(to: bench.nextSend + 1234)
        try bench.exchange()
        #expect(bench.host.lateness == [1234, nil])
    }

    @Test func `A gap beyond the range of time is never over`() throws {
        let bench = SenderBench {
            $0.intervalNanoseconds = .max
            $0.timeoutNanoseconds = millisecond
        }
        try bench.exchange()
        bench.advance()
        try bench.send()
        #expect(bench.nextSend == .max)
    }
}

@Suite struct SkippedDeadlineTests {
    @Test func `A delay of 100 ms is caught up, and a longer one skips deadlines`() throws {
        let bench = SenderBench()
        try bench.open()
        bench.move(to: bench.nextSend + 100 * millisecond)
        for _ in 0..<11 { #expect(bench.writeNow() != nil) }
        #expect(bench.writeNow() == nil)
        #expect(bench.result.skippedDeadlines == 0)
        #expect(bench.host.noticeNames == ["peerAnswered"])
    }

    @Test func `Of the deadlines that passed during a longer delay, the last one is met`() throws {
        let bench = SenderBench()
        try bench.open()
        let first = bench.nextSend
        bench.move(to: first + 100 * millisecond + 1)
        try bench.send()
        #expect(bench.result.skippedDeadlines == 10)
        #expect(bench.nextSend == first + 110 * millisecond)
        #expect(bench.totals.sent == 1)
        #expect(bench.host.noticeNames == ["peerAnswered", "deadlinesSkipped"])
        bench.move(to: bench.nextSend + 200 * millisecond)
        try bench.send()
        #expect(bench.result.skippedDeadlines == 30)
        #expect(bench.host.noticeNames == ["peerAnswered", "deadlinesSkipped"], "reported once")
    }

    @Test func `Skipped deadlines are part of the count`() throws {
        let bench = SenderBench { $0.count = 15 }
        try bench.open()
        bench.move(to: bench.nextSend + 104 * millisecond)
        try bench.send()
        #expect(bench.result.skippedDeadlines == 10)
        bench.move(to: bench.nextSend + second)
        #expect(bench.writeNow() == nil, "all 15 were due")
        #expect(bench.result.skippedDeadlines == 14)
        bench.advance()
        #expect(bench.phase == .closing)
        #expect(bench.totals.sent + bench.result.skippedDeadlines == 15)
    }

    @Test func `The deadlines that passed before a stop are skipped too`() throws {
        let bench = SenderBench()
        try bench.open()
        bench.move(to: bench.nextSend + 255 * millisecond)
        bench.session.requestStop(.finish)
        bench.advance()
        #expect(bench.phase == .closing)
        #expect(bench.result.skippedDeadlines == 25)
    }

    @Test(arguments: [UInt64?.none, 1_000_000])
    func `The deadlines of a long suspension are counted by the mean interval`(_ count: UInt64?) throws {
        let bench = SenderBench { $0.count = count }
        try bench.open()
        let first = bench.nextSend
        // A day: 8,640,000 intervals.
        bench.move(to: first + 86_400 * second)
        if count == nil {
            try bench.send()
            #expect(bench.result.skippedDeadlines == 8_640_000)
            #expect(bench.nextSend == first + 86_400 * second + SenderBench.interval)
        } else {
            #expect(bench.writeNow() == nil)
            #expect(bench.result.skippedDeadlines == 1_000_000)
            bench.advance()
            #expect(bench.phase == .closing)
        }
    }

    @Test func `A poisson schedule skips as many deadlines as it has`() throws {
        let bench = SenderBench { $0.schedule = .poisson(seed: 5) }
        var schedule = Schedule(.poisson(seed: 5), intervalNanoseconds: SenderBench.interval)
        try bench.open()
        var due = bench.nextSend
        let now = bench.nextSend + 400 * millisecond
        var skipped: UInt64 = 0
        while true {
            let gap = schedule.gap()
            guard due + gap <= now else { break }
            due += gap
            skipped += 1
        }
        bench.move(to: now)
        try bench.send()
        #expect(bench.result.skippedDeadlines == skipped)
        #expect((30...50).contains(skipped))
    }

    @Test func `Opening and closing probes skip nothing`() throws {
        let bench = SenderBench()
        bench.wait(5 * second)
        try bench.exchange()
        bench.advance()
        bench.session.requestStop(.finish)
        bench.advance()
        bench.move(by: 5 * second)
        #expect(bench.writeNow() != nil)
        #expect(bench.result.skippedDeadlines == 0)
    }
}
