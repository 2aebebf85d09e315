import Testing

@testable import Conntrack

/// Tests of the breaker with simulated time.
@Suite struct EventBreakerTests {
    /// A breaker with a limit of 10,000 events per second, and a simulated clock.
    private struct Simulation {
        var breaker = EventBreaker(limit: 10_000, at: 0)
        var now: Int64 = 0
        var changes: [(time: Int64, fraction: Double)] = []

        /// Adds events at `rate` per second for that time.
        mutating func run(_ rate: Double, seconds: Double) {
            for _ in 0..<Int((seconds * 10).rounded()) {
                now += 100_000_000
                breaker.add(UInt64(rate / 10))
                if breaker.decide(at: now) { changes.append((now, breaker.fraction)) }
            }
        }
    }

    @Test func `Below the limit all events are received`() {
        var simulation = Simulation()
        simulation.run(9_900, seconds: 60)
        #expect(simulation.changes.isEmpty && simulation.breaker.fraction == 1 && !simulation.breaker.isSampling)
        #expect(abs(simulation.breaker.rate - 9_900) < 1)
    }

    @Test func `A storm trips the breaker at once, and the sample stays below the limit`() {
        var simulation = Simulation()
        simulation.run(1_000, seconds: 5)
        simulation.run(50_000, seconds: 10)
        let first = simulation.changes.first?.time ?? .max
        #expect(first <= 5_300_000_000, "\(simulation.changes)")
        #expect(simulation.breaker.trips == 1 && simulation.breaker.isSampling)
        #expect(simulation.breaker.rate * simulation.breaker.fraction <= 10_000)
        #expect(simulation.breaker.rate * simulation.breaker.fraction >= 4_000)
        // A few corrections while the average rises, and none afterwards.
        #expect(simulation.changes.count < 8 && (simulation.changes.last?.time ?? .max) < 8_000_000_000)
    }

    @Test func `A burst of a tenth of a second does not trip the breaker`() {
        var simulation = Simulation()
        simulation.run(1_000, seconds: 5)
        simulation.run(40_000, seconds: 0.1)
        simulation.run(1_000, seconds: 5)
        #expect(simulation.changes.isEmpty)
    }

    @Test func `All events are received again some time after the storm`() {
        var simulation = Simulation()
        simulation.run(50_000, seconds: 5)
        simulation.run(100, seconds: 10)
        #expect(simulation.breaker.fraction == 1 && simulation.breaker.trips == 1)
        let resumed = simulation.changes.last?.time ?? 0
        #expect((7_000_000_000...10_000_000_000).contains(resumed), "\(simulation.changes)")
    }

    @Test func `A rate near the limit does not make the breaker flap`() {
        var simulation = Simulation()
        for second in 0..<120 { simulation.run(second % 2 == 0 ? 10_800 : 9_600, seconds: 1) }
        #expect(simulation.breaker.trips <= 1, "\(simulation.changes)")
        #expect(simulation.changes.count <= 3, "\(simulation.changes)")
    }

    @Test func `A short calm does not end sampling`() {
        var simulation = Simulation()
        simulation.run(50_000, seconds: 5)
        let before = simulation.changes.count
        for _ in 0..<10 {
            simulation.run(100, seconds: 1.5)
            simulation.run(50_000, seconds: 1.5)
        }
        #expect(simulation.breaker.trips == 1)
        #expect(!simulation.changes.dropFirst(before).contains { $0.fraction == 1 })
    }

    @Test func `A growing storm reduces the fraction, and a shrinking one raises it`() {
        var simulation = Simulation()
        simulation.run(20_000, seconds: 5)
        let first = simulation.breaker.fraction
        simulation.run(500_000, seconds: 5)
        let second = simulation.breaker.fraction
        simulation.run(20_000, seconds: 10)
        let third = simulation.breaker.fraction
        #expect(second < first / 10 && third > second * 10)
        #expect(simulation.breaker.rate * third <= 10_000 && simulation.breaker.trips == 1)
    }

    @Test func `The smallest limit and fraction apply, and a clock that does not advance changes nothing`() {
        var breaker = EventBreaker(limit: -5, at: 0)
        #expect(breaker.limit == 1)
        breaker.add(.max / 2)
        let changes = [99_999_999, 0, -1, 100_000_000].map { breaker.decide(at: $0) }
        #expect(changes == [false, false, false, true])
        #expect(breaker.fraction == EventBreaker.minimumFraction)
        #expect(EventSampler.threshold(breaker.fraction) > 0)
    }

    @Test func `A backlog after an hour's pause is not a storm`() {
        var simulation = Simulation()
        simulation.run(5_000, seconds: 5)
        simulation.now += 3_600_000_000_000
        simulation.breaker.add(1_000_000)
        let changed = simulation.breaker.decide(at: simulation.now)
        #expect(!changed)
        #expect(simulation.breaker.rate < 1_000)
    }
}
