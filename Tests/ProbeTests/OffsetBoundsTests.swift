import Testing

@testable import probe

private let second: Int64 = 1_000_000_000
private let millisecond: Int64 = 1_000_000

/// Exchanges with a played peer, whose clock the test sets.
private struct PlayedPeer {
    var bounds = OffsetBounds()
    /// CLOCK_MONOTONIC, and this host's and the peer's CLOCK_REALTIME less it.
    var now: Int64 = 1_000 * second
    var local: Int64 = 1_795_000_000 * second
    var peer: Int64 = 1_795_000_017 * second
    var forward: Int64 = 100_000
    var reverse: Int64 = 100_000
    var residence: Int64 = 20_000

    /// An exchange that begins `pause` after the last one. `midway` happens while the peer has the probe.
    mutating func exchange(after pause: Int64, _ midway: (inout PlayedPeer) -> Void = { _ in }) -> OffsetBounds.Finding
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
    private var peer = PlayedPeer()

    private mutating func warmUp(_ count: Int = 20) {
        for _ in 0..<count { #expect(peer.exchange(after: 20 * millisecond) == .consistent) }
    }

    @Test(arguments: [second, -second, 37 * second, 100 * millisecond, -5 * millisecond])
    mutating func `A clock that is set between two exchanges is found, and by how much in the next one`(
        _ amount: Int64
    ) throws {
        warmUp()
        peer.peer += amount
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled(let size) = peer.exchange(after: 20 * millisecond) else {
            Issue.record("no size")
            return
        }
        #expect(abs(size.amount - amount) <= size.error)
        // The round trip, a tenth of the time between exchanges, and the slack.
        #expect(size.error < 7 * millisecond)
        warmUp()
    }

    @Test(arguments: [second, -second])
    mutating func `A clock that is set while the peer has the probe tears that exchange alone`(_ amount: Int64) {
        warmUp()
        #expect(peer.exchange(after: 20 * millisecond) { $0.peer += amount } == .inconsistent)
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled = peer.exchange(after: 20 * millisecond) else {
            Issue.record("no size")
            return
        }
        warmUp()
    }

    @Test mutating func `Delays of any size in either direction are no step`() {
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

    @Test mutating func `Random delays on clocks that are slewed as fast as chronyd does are no step`() {
        var random = Repeatable(state: 862)
        for round in 0..<5000 {
            let pause = Int64.random(in: 0...200, using: &random) * millisecond
            // 83,333 ppm one way, then the other.
            peer.peer += pause / (round % 400 < 200 ? 12 : -12)
            peer.forward = Int64.random(in: 1000...30 * millisecond, using: &random)
            peer.reverse = Int64.random(in: 1000...30 * millisecond, using: &random)
            #expect(peer.exchange(after: pause) == .consistent)
        }
    }

    @Test mutating func `A step that the round trip hides is not found, and tears nothing`() {
        peer.forward = 20 * millisecond
        peer.reverse = 20 * millisecond
        warmUp()
        peer.peer += 10 * millisecond
        warmUp()
    }

    @Test mutating func `Own steps are taken out, and the peer's beside them is still found`() {
        warmUp()
        peer.local += second
        peer.bounds.localStep(by: second)
        warmUp()
        peer.local -= 2 * second
        peer.bounds.localStep(by: -2 * second)
        peer.peer += second
        #expect(peer.exchange(after: 20 * millisecond) == .stepped)
        guard case .settled(let size) = peer.exchange(after: 20 * millisecond) else {
            Issue.record("no size")
            return
        }
        #expect(abs(size.amount - second) <= size.error)
    }

    @Test mutating func `Exchanges that come out of order prove nothing of their local`() {
        warmUp()
        let late = PlayedPeer()
        var copy = late
        _ = copy.exchange(after: 0)
        peer.now = late.now + second
        warmUp()
        // Sent a second ago, answered then, and here only now.
        let t1 = late.now + late.local
        let old = OffsetBounds.Exchange(
            t1: t1, t2: t1 + 17 * second + 100_000, t3: t1 + 17 * second + 120_000, t4: peer.now + peer.local,
            sent: late.now, received: peer.now)
        #expect(peer.bounds.record(old) == .consistent)
        warmUp()
    }

    @Test mutating func `A peer whose stamps have never made sense proves nothing, and never a step`() {
        peer.residence = -second
        for _ in 0..<100 { #expect(peer.exchange(after: 20 * millisecond) == .consistent) }
    }

    @Test mutating func `A peer whose two stamps come to be of different clocks is one step, and no more`() {
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

    @Test func `Any stamps at all are taken without a trap`() {
        var bounds = OffsetBounds()
        var random = Repeatable(state: 1)
        let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        func any() -> Int64 {
            Bool.random(using: &random)
                ? extremes.randomElement(using: &random)! : Int64.random(in: .min ... .max, using: &random)
        }
        var found: Set<String> = []
        for _ in 0..<100_000 {
            found.insert(
                String(
                    "\(bounds.record(.init(t1: any(), t2: any(), t3: any(), t4: any(), sent: any(), received: any())))"
                        .prefix(4)))
            if Int.random(in: 0..<10, using: &random) == 0 { bounds.localStep(by: any()) }
        }
        #expect(found == ["cons", "inco", "step", "sett"])
    }
}

private struct Repeatable: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
