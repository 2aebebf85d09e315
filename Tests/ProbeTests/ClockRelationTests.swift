import STAMPWire
import Testing

@testable import probe

@Suite struct ClockRelationTests {
    private static let local: UInt64 = 0x1234
    private var relation = ClockRelation(localBootHash: local)

    private func estimate(_ synchronized: Bool, _ nanoseconds: Int64) -> ErrorEstimate {
        ErrorEstimate(synchronized: synchronized, isPTP: false, errorNanoseconds: nanoseconds)
    }

    @Test func `Before anything is known delays are relative`() {
        #expect(relation.error == nil)
        #expect(!relation.isOneClock && !relation.disagrees)
        #expect(relation.note.hasPrefix("relative: nothing is known"))
    }

    @Test mutating func `The same boot id and possible delays are one clock, good to a nanosecond`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 1500, reverse: 1700)
        #expect(relation.isOneClock)
        #expect(relation.error == 1)
        #expect(relation.note.hasPrefix("one clock"))
    }

    @Test mutating func `A delay of nothing is possible on one clock`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 0, reverse: 0)
        #expect(relation.isOneClock)
    }

    @Test(arguments: [(-1, nil), (nil, -1), (-1, 5), (5, -1)] as [(Int64?, Int64?)])
    mutating func `A packet that arrives before it left shows a cloned machine of the same boot id`(
        _ forward: Int64?, _ reverse: Int64?
    ) {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 1000, reverse: 1000)
        #expect(relation.isOneClock)
        relation.update(forward: forward, reverse: reverse)
        #expect(relation.disagrees)
        #expect(!relation.isOneClock)
        #expect(relation.error == nil)
        #expect(relation.note.contains("cloned"))
        relation.update(forward: 1000, reverse: 1000)
        #expect(relation.disagrees, "one impossible delay is enough")
    }

    @Test mutating func `A cloned machine's delays stay relative though both kernels vouch for their clocks`() {
        relation.update(peerBootHash: Self.local)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        relation.update(forward: -1, reverse: nil)
        #expect(relation.error == nil)
    }

    @Test func `A boot id that is not known here is nobody else's`() {
        var relation = ClockRelation(localBootHash: 0)
        relation.update(peerBootHash: 0)
        relation.update(forward: 1, reverse: 1)
        #expect(!relation.isOneClock)
        #expect(relation.error == nil)
    }

    @Test mutating func `Of two synchronised clocks the errors add up, and to no less than either says`() {
        relation.update(peerBootHash: Self.local + 1)
        let mine = estimate(true, 1_000_000)
        let current = estimate(true, 2_500_000)
        relation.update(local: mine, peer: current)
        #expect(relation.error == (mine.errorNanoseconds ?? 0) + (current.errorNanoseconds ?? 0))
        #expect(relation.error ?? 0 >= 3_500_000)
        #expect(relation.note.contains("\(relation.error ?? 0) ns"))
    }

    @Test(arguments: [(true, false, "the peer's clock"), (false, true, "this host's clock"), (false, false, "neither")])
    mutating func `One clock that is not synchronised makes delays relative, and the note says whose it is`(
        _ mine: Bool, _ current: Bool, _ whose: String
    ) {
        relation.update(local: estimate(mine, 1000), peer: estimate(current, 1000))
        #expect(relation.error == nil)
        #expect(relation.note.contains(whose))
    }

    @Test mutating func `An error estimate that is corrupt bounds nothing`() {
        relation.update(local: estimate(true, 1000), peer: ErrorEstimate(rawValue: 0x8000))
        #expect(relation.error == nil)
    }

    @Test mutating func `The largest errors that packets can carry do not overflow`() {
        let largest = ErrorEstimate(rawValue: 0xBFFF)
        relation.update(local: largest, peer: largest)
        #expect(relation.error == nil)
    }

    @Test mutating func `The extremes of delays from the network are taken without overflow`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: .max, reverse: .min)
        relation.update(forward: .min, reverse: .max)
        #expect(relation.disagrees)
    }

    @Test mutating func `A peer whose clock was set alone is on another clock, whatever its boot id`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 1500, reverse: 1700)
        #expect(relation.isOneClock)
        relation.recordPeerStep()
        #expect(!relation.isOneClock && relation.disagrees)
        #expect(relation.error == nil)
    }

    @Test mutating func `A step of a peer with another boot id changes nothing between the clocks' errors`() {
        relation.update(peerBootHash: Self.local + 1)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        relation.recordPeerStep()
        #expect(relation.error != nil && !relation.disagrees)
    }

    @Test mutating func `A peer that comes back on another kernel is reported by its boot id`() {
        #expect(relation.update(peerBootHash: 0) == false)
        #expect(relation.update(peerBootHash: 5) == false)
        #expect(relation.update(peerBootHash: 5) == false)
        #expect(relation.update(peerBootHash: 6) == true)
        #expect(relation.update(peerBootHash: 0) == false, "an id that it can't read says nothing")
    }

    @Test mutating func `A clock that becomes synchronised is believed from then on`() {
        relation.update(local: estimate(true, 1000), peer: estimate(false, 1000))
        #expect(relation.error == nil)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        #expect(relation.error != nil)
    }
}
