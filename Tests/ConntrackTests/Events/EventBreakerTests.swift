import Testing

@testable import Conntrack

/// The breaker in time that the test plays.
@Suite struct EventBreakerTests {
    /// A breaker of 10,000 events a second, and a clock.
    private struct Played {
        var breaker = EventBreaker(limit: 10_000, at: 0)
        var now: Int64 = 0
        var changes: [(time: Int64, fraction: Double)] = []

        /// Lets so many events a second happen for a while.
        mutating func run(_ rate: Double, seconds: Double) {
            for _ in 0..<Int((seconds * 10).rounded()) {
                now += 100_000_000
                breaker.add(UInt64(rate / 10))
                if breaker.decide(at: now) { changes.append((now, breaker.fraction)) }
            }
        }
    }

    @Test func `below the limit everything is taken`() {
        var played = Played()
        played.run(9_900, seconds: 60)
        #expect(played.changes.isEmpty && played.breaker.fraction == 1 && !played.breaker.isSampling)
        #expect(abs(played.breaker.rate - 9_900) < 1)
    }

    @Test func `a storm trips it at once, and the sample is below the limit`() {
        var played = Played()
        played.run(1_000, seconds: 5)
        played.run(50_000, seconds: 10)
        let first = played.changes.first?.time ?? .max
        #expect(first <= 5_300_000_000, "\(played.changes)")
        #expect(played.breaker.trips == 1 && played.breaker.isSampling)
        #expect(played.breaker.rate * played.breaker.fraction <= 10_000)
        #expect(played.breaker.rate * played.breaker.fraction >= 4_000)
        // It settles: a few corrections while the average climbs, none after.
        #expect(played.changes.count < 8 && (played.changes.last?.time ?? .max) < 8_000_000_000)
    }

    @Test func `a burst of a tenth of a second does not trip it`() {
        var played = Played()
        played.run(1_000, seconds: 5)
        played.run(40_000, seconds: 0.1)
        played.run(1_000, seconds: 5)
        #expect(played.changes.isEmpty)
    }

    @Test func `it resumes when the storm is over, after a pause`() {
        var played = Played()
        played.run(50_000, seconds: 5)
        played.run(100, seconds: 10)
        #expect(played.breaker.fraction == 1 && played.breaker.trips == 1)
        let resumed = played.changes.last?.time ?? 0
        #expect((7_000_000_000...10_000_000_000).contains(resumed), "\(played.changes)")
    }

    @Test func `a rate about the limit does not make it flap`() {
        var played = Played()
        for second in 0..<120 { played.run(second % 2 == 0 ? 10_800 : 9_600, seconds: 1) }
        #expect(played.breaker.trips <= 1, "\(played.changes)")
        #expect(played.changes.count <= 3, "\(played.changes)")
    }

    @Test func `calm that does not last is no calm`() {
        var played = Played()
        played.run(50_000, seconds: 5)
        let before = played.changes.count
        for _ in 0..<10 {
            played.run(100, seconds: 1.5)
            played.run(50_000, seconds: 1.5)
        }
        #expect(played.breaker.trips == 1)
        #expect(!played.changes.dropFirst(before).contains { $0.fraction == 1 })
    }

    @Test func `a storm that grows makes the sample smaller, one that shrinks larger`() {
        var played = Played()
        played.run(20_000, seconds: 5)
        let first = played.breaker.fraction
        played.run(500_000, seconds: 5)
        let second = played.breaker.fraction
        played.run(20_000, seconds: 10)
        let third = played.breaker.fraction
        #expect(second < first / 10 && third > second * 10)
        #expect(played.breaker.rate * third <= 10_000 && played.breaker.trips == 1)
    }

    @Test func `the smallest sample, the smallest limit, and a clock that stands still`() {
        var breaker = EventBreaker(limit: -5, at: 0)
        #expect(breaker.limit == 1)
        breaker.add(.max / 2)
        let changes = [99_999_999, 0, -1, 100_000_000].map { breaker.decide(at: $0) }
        #expect(changes == [false, false, false, true])
        #expect(breaker.fraction == EventBreaker.least)
        #expect(EventSampler.threshold(breaker.fraction) > 0)
    }

    @Test func `a listener that was stopped for an hour does not take its rest for a storm`() {
        var played = Played()
        played.run(5_000, seconds: 5)
        played.now += 3_600_000_000_000
        played.breaker.add(1_000_000)
        let changed = played.breaker.decide(at: played.now)
        #expect(!changed)
        #expect(played.breaker.rate < 1_000)
    }
}
