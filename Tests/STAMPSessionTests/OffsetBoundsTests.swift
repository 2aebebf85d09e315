import Testing

@testable import STAMPSession

/// Exchanges with a simulated peer, whose clock the test sets.
private struct SimulatedPeer {
    var bounds = OffsetBounds()
    /// CLOCK_MONOTONIC in nanoseconds.
    var now: Int64 = 1_000 * second
    /// This host's CLOCK_REALTIME minus CLOCK_MONOTONIC.
    var local: Int64 = 1_795_000_000 * second
    /// The peer's CLOCK_REALTIME minus this host's CLOCK_MONOTONIC.
    var peer: Int64 = 1_795_000_017 * second
    var forward: Int64 = 100_000
    var reverse: Int64 = 100_000
    var residence: Int64 = 20_000

    /// Records an exchange that begins `pause` nanoseconds after the last one. `midway` runs between T2 and T3.
    mutating func exchange(after pause: Int64, _ midway: (inout SimulatedPeer) -> Void = { _ in })
        -> OffsetBounds.Finding
    {
        now += pause
        let sent = now
        let t1 = now + local
        now += forward
        let t2 = now + peer
        midway(&self)
        now += residence
        let t3 = now + peer
        now += reverse
        return bounds.record(.init(t1: t1, t2: t2, t3: t3, t4: now + local, sent: sent, received: now))
    }
}

@Suite struct OffsetBoundsTests {
    private var peer = SimulatedPeer()

    private mutating func warmUp(_ count: Int = 20) {
        for _ in 0..<count { #expect(peer.exchange(after: 20 * millisecond) == .consistent) }
    }

    @Test(arguments: [second, -second, 37 * second, 100 * millisecond, -5 * millisecond])
    mutating func `A clock step between two exchanges is found, and the next exchange gives its size`(
        _ amount: Int64
    ) throws {
        warmUp()
        peer.peer += amount
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled(let size) = peer.exchange(after: 20 * millisecond) else {
            Issue.record("the step has no size")
            return
        }
        #expect(abs(size.amount - amount) <= size.error)
        // The round trip, a tenth of the time between exchanges, and the tolerance.
        #expect(size.error < 7 * millisecond)
        warmUp()
    }

    @Test(arguments: [second, -second])
    mutating func `A clock step between T2 and T3 makes only that exchange inconsistent`(_ amount: Int64) {
        warmUp()
        #expect(peer.exchange(after: 20 * millisecond) { $0.peer += amount } == .inconsistent)
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled = peer.exchange(after: 20 * millisecond) else {
            Issue.record("the step has no size")
            return
        }
        warmUp()
    }

    @Test mutating func `Delays of any length in either direction are no step`() {
        warmUp()
        for (forward, reverse) in [(5, 0), (0, 5), (5, 5), (3600, 0), (0, 3600), (0, 0)] as [(Int64, Int64)] {
            peer.forward = forward * second + 50_000
            peer.reverse = reverse * second + 50_000
            #expect(peer.exchange(after: 20 * millisecond) == .consistent)
            #expect(peer.exchange(after: 20 * millisecond) == .consistent)
        }
        peer.residence = 60 * second
        #expect(peer.exchange(after: 20 * millisecond) == .consistent)
    }

    @Test mutating func `Random delays between clocks slewed at chronyd's maximum rate are no step`() {
        var random = SeededGenerator(state: 862)
        for round in 0..<5000 {
            let pause = Int64.random(in: 0...200, using: &random) * millisecond
            // 83,333 ppm (maxslewrate) forward, then backward.
            peer.peer += pause / (round % 400 < 200 ? 12 : -12)
            peer.forward = Int64.random(in: 1000...30 * millisecond, using: &random)
            peer.reverse = Int64.random(in: 1000...30 * millisecond, using: &random)
            #expect(peer.exchange(after: pause) == .consistent)
        }
    }

    @Test mutating func `A step smaller than the round trip is not found, and no exchange is inconsistent`() {
        peer.forward = 20 * millisecond
        peer.reverse = 20 * millisecond
        warmUp()
        peer.peer += 10 * millisecond
        warmUp()
    }

    @Test mutating func `Local steps are subtracted, and a simultaneous step of the peer is still found`() {
        warmUp()
        peer.local += second
        peer.bounds.localStep(by: second)
        warmUp()
        peer.local -= 2 * second
        peer.bounds.localStep(by: -2 * second)
        peer.peer += second
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled(let size) = peer.exchange(after: 20 * millisecond) else {
            Issue.record("the step has no size")
            return
        }
        #expect(abs(size.amount - second) <= size.error)
    }

    @Test mutating func `An exchange that ends out of order is consistent`() {
        warmUp()
        let late = SimulatedPeer()
        peer.now = late.now + second
        warmUp()
        // Sent and answered a second ago, received now.
        let t1 = late.now + late.local
        let old = OffsetBounds.Exchange(
            t1: t1, t2: t1 + 17 * second + 100_000, t3: t1 + 17 * second + 120_000, t4: peer.now + peer.local,
            sent: late.now, received: peer.now)
        #expect(peer.bounds.record(old) == .consistent)
        warmUp()
    }

    @Test mutating func `A peer whose timestamps are inconsistent from the start never has a step`() {
        peer.residence = -second
        for _ in 0..<100 { #expect(peer.exchange(after: 20 * millisecond) == .consistent) }
    }

    @Test mutating func `A peer whose T2 and T3 change to different clocks is one step, and no more`() {
        warmUp()
        peer.residence = 37 * second
        peer.reverse = -36 * second
        var findings: [OffsetBounds.Finding] = []
        for _ in 0..<100 { findings.append(peer.exchange(after: 20 * millisecond)) }
        let limit = OffsetBounds.inconsistentLimit
        #expect(findings.prefix(limit - 1).allSatisfy { $0 == .inconsistent })
        #expect(findings[limit - 1] == .stepped)
        #expect(findings.dropFirst(limit).allSatisfy { $0 == .consistent })
    }

    @Test mutating func `After arbitrary timestamps, only steps have a size, and valid exchanges are consistent again`()
    {
        var random = SeededGenerator(state: 1)
        let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        func any() -> Int64 {
            Bool.random(using: &random)
                ? extremes.randomElement(using: &random)! : Int64.random(in: .min ... .max, using: &random)
        }
        let rounds = 100_000
        var (consistent, inconsistent, steps, sizes) = (0, 0, 0, 0)
        var awaitsSize = false
        for round in 0..<rounds {
            let exchange = OffsetBounds.Exchange(
                t1: any(), t2: any(), t3: any(), t4: any(), sent: any(), received: any())
            switch peer.bounds.record(exchange) {
            case .consistent: consistent += 1
            case .inconsistent: inconsistent += 1
            case .stepped:
                steps += 1
                awaitsSize = true
            case .settled:
                sizes += 1
                if !awaitsSize { Issue.record("round \(round): a size without a step") }
                awaitsSize = false
            }
            if Int.random(in: 0..<10, using: &random) == 0 { peer.bounds.localStep(by: any()) }
        }
        #expect(consistent + inconsistent + steps + sizes == rounds)
        #expect(min(consistent, inconsistent, steps, sizes) > 100)
        // The first two may still contradict the arbitrary ones: a step and its size.
        let findings = (0..<20).map { _ in peer.exchange(after: 20 * millisecond) }
        #expect(findings.dropFirst(2).allSatisfy { $0 == .consistent }, "\(findings)")
    }
}
