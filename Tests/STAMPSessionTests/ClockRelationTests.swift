import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct ClockRelationTests {
    private static let local: UInt64 = 0x1234
    private var relation = ClockRelation(localBootHash: local)

    private func estimate(_ synchronized: Bool, _ nanoseconds: Int64) -> ErrorEstimate {
        ErrorEstimate(synchronized: synchronized, isPTP: false, errorNanoseconds: nanoseconds)
    }

    @Test func `Delays are relative until the clocks' relation is known`() {
        #expect(relation.error == nil)
        #expect(!relation.isOneClock && !relation.disagrees)
        #expect(relation.note.hasPrefix("relative: nothing is known"))
    }

    @Test mutating func `An equal boot ID and possible delays mean one clock, exact to a nanosecond`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 1500, reverse: 1700)
        #expect(relation.isOneClock)
        #expect(relation.error == 1)
        #expect(relation.note.hasPrefix("one clock"))
    }

    @Test mutating func `A delay of zero is possible on one clock`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 0, reverse: 0)
        #expect(relation.isOneClock)
    }

    @Test(arguments: [(-1, nil), (nil, -1), (-1, 5), (5, -1)] as [(Int64?, Int64?)])
    mutating func `A negative delay reveals a cloned host with the same boot ID`(
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
        #expect(relation.disagrees, "one impossible delay suffices")
    }

    @Test mutating func `A cloned host's delays stay relative even if both clocks are synchronised`() {
        relation.update(peerBootHash: Self.local)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        relation.update(forward: -1, reverse: nil)
        #expect(relation.error == nil)
    }

    @Test func `An unknown local boot ID equals no peer's`() {
        var relation = ClockRelation(localBootHash: 0)
        relation.update(peerBootHash: 0)
        relation.update(forward: 1, reverse: 1)
        #expect(!relation.isOneClock)
        #expect(relation.error == nil)
    }

    @Test mutating func `The errors of two synchronised clocks add up`() {
        relation.update(peerBootHash: Self.local + 1)
        let local = estimate(true, 1_000_000)
        let peer = estimate(true, 2_500_000)
        relation.update(local: local, peer: peer)
        #expect(relation.error == (local.errorNanoseconds ?? 0) + (peer.errorNanoseconds ?? 0))
        #expect(relation.error ?? 0 >= 3_500_000)
        #expect(relation.note.contains("\(relation.error ?? 0) ns"))
    }

    @Test(arguments: [(true, false, "the peer's clock"), (false, true, "this host's clock"), (false, false, "neither")])
    mutating func `An unsynchronised clock makes delays relative, and the note names its host`(
        _ local: Bool, _ peer: Bool, _ whose: String
    ) {
        relation.update(local: estimate(local, 1000), peer: estimate(peer, 1000))
        #expect(relation.error == nil)
        #expect(relation.note.contains(whose))
    }

    @Test mutating func `An invalid error estimate gives no error bound`() {
        relation.update(local: estimate(true, 1000), peer: ErrorEstimate(rawValue: 0x8000))
        #expect(relation.error == nil)
    }

    @Test mutating func `The largest errors that packets can carry give no error bound`() {
        let largest = ErrorEstimate(rawValue: 0xBFFF)
        relation.update(local: largest, peer: largest)
        #expect(relation.error == nil)
    }

    @Test mutating func `The extremes of Int64 as delays are impossible delays`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: .max, reverse: .min)
        relation.update(forward: .min, reverse: .max)
        #expect(relation.disagrees)
    }

    @Test mutating func `A step of the peer's clock alone means another clock, whatever its boot ID`() {
        relation.update(peerBootHash: Self.local)
        relation.update(forward: 1500, reverse: 1700)
        #expect(relation.isOneClock)
        relation.recordPeerStep()
        #expect(!relation.isOneClock && relation.disagrees)
        #expect(relation.error == nil)
    }

    @Test mutating func `A step of a peer with another boot ID keeps the error bound`() {
        relation.update(peerBootHash: Self.local + 1)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        relation.recordPeerStep()
        #expect(relation.error != nil && !relation.disagrees)
    }

    @Test mutating func `A changed boot ID reports that the peer's host restarted`() {
        #expect(relation.update(peerBootHash: 0) == false)
        #expect(relation.update(peerBootHash: 5) == false)
        #expect(relation.update(peerBootHash: 5) == false)
        #expect(relation.update(peerBootHash: 6) == true)
        #expect(relation.update(peerBootHash: 0) == false, "an ID of 0 means that the peer cannot read its boot ID")
    }

    @Test mutating func `A clock that becomes synchronised gives an error bound from then on`() {
        relation.update(local: estimate(true, 1000), peer: estimate(false, 1000))
        #expect(relation.error == nil)
        relation.update(local: estimate(true, 1000), peer: estimate(true, 1000))
        #expect(relation.error != nil)
    }
}
