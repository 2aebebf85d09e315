import Testing

@testable import Conntrack

/// Tests of the cache of translated flows: lookups, removal and counters.
@Suite struct FlowTranslationsTests {
    private let second: Int64 = 1_000_000_000

    /// A flow whose private source address is masqueraded as a public one.
    private func masqueraded(_ port: UInt16, id: UInt32 = 1) -> Flow {
        let original = tuple(.udp, "10.0.0.2:\(port)", "198.51.100.1:862")
        var flow = Flow(original: original, reply: tuple(.udp, "198.51.100.1:862", "192.0.2.1:\(port)"))
        flow.id = id
        return flow
    }

    private func outside(_ port: UInt16) -> FlowTuple { tuple(.udp, "192.0.2.1:\(port)", "198.51.100.1:862") }

    @Test func `Each side maps to the other, in both directions`() {
        var cache = FlowTranslations()
        let flow = masqueraded(4000)
        cache.record(flow, at: 0)
        #expect(cache.otherSide(of: flow.original, at: 0) == outside(4000))
        #expect(cache.otherSide(of: outside(4000), at: 0) == flow.original)
        // The reply, as it arrives from outside and as it is delivered inside.
        #expect(cache.otherSide(of: flow.reply, at: 0) == flow.original.inverted)
        #expect(cache.otherSide(of: flow.original.inverted, at: 0) == flow.reply)
        #expect(cache.counters == FlowTranslations.Counters(hits: 4))
        #expect(cache.otherSide(of: outside(4001), at: 0) == nil)
        #expect(cache.counters == FlowTranslations.Counters(hits: 4, misses: 1))
    }

    @Test func `Flows without NAT are not cached`() throws {
        var cache = FlowTranslations()
        for message in Captured.flows { cache.record(try flow(message), at: 0) }
        #expect(cache.count == 3)
        #expect(try cache.otherSide(of: flow(Captured.udpMark).original, at: 0) == nil)
        let translated = try flow(Captured.udpIPv6DestinationNAT)
        #expect(cache.otherSide(of: translated.original, at: 0) == translated.translated)
    }

    @Test func `The same tuple in another namespace or zone is another flow`() {
        var cache = FlowTranslations()
        var flow = masqueraded(4000)
        flow.namespaceID = 3
        flow.zone = 7
        cache.record(flow, at: 0)
        #expect(cache.otherSide(of: flow.original, at: 0) == nil)
        #expect(cache.otherSide(of: flow.original, in: .init(namespaceID: 3), at: 0) == nil)
        #expect(cache.otherSide(of: flow.original, in: .init(zone: 7), at: 0) == nil)
        #expect(cache.otherSide(of: flow.original, in: .init(namespaceID: 3, zone: 7), at: 0) == outside(4000))
    }

    @Test func `A destroy event removes its flow but not a newer one with the same tuple`() {
        var cache = FlowTranslations()
        cache.record(FlowEvent(.new, masqueraded(4000, id: 1)), at: 0)
        cache.record(FlowEvent(.new, masqueraded(4000, id: 2)), at: 1)
        cache.record(FlowEvent(.destroy, masqueraded(4000, id: 1)), at: 2)
        #expect(cache.count == 1)
        cache.record(FlowEvent(.destroy, masqueraded(4000, id: 2)), at: 3)
        #expect(cache.count == 0 && cache.otherSide(of: outside(4000), at: 3) == nil)
        cache.record(FlowEvent(.destroy, masqueraded(4000, id: 2)), at: 4)
        #expect(cache.count == 0)
    }

    @Test func `A new translation of a flow replaces the old one`() {
        var cache = FlowTranslations()
        var flow = masqueraded(4000)
        cache.record(flow, at: 0)
        flow.reply = tuple(.udp, "198.51.100.1:862", "192.0.2.9:999")
        cache.record(flow, at: 1)
        #expect(cache.otherSide(of: flow.original, at: 1) == tuple(.udp, "192.0.2.9:999", "198.51.100.1:862"))
        #expect(cache.otherSide(of: outside(4000), at: 1) == nil && cache.count == 1)
        // No longer translated.
        flow.reply = flow.original.inverted
        cache.record(flow, at: 2)
        #expect(cache.otherSide(of: flow.original, at: 2) == nil && cache.count == 0)
    }

    @Test func `A translated tuple that another flow now uses maps to that flow`() {
        var cache = FlowTranslations()
        cache.record(masqueraded(4000), at: 0)
        var other = masqueraded(4001)
        other.reply = masqueraded(4000).reply
        cache.record(other, at: 1)
        #expect(cache.otherSide(of: outside(4000), at: 1) == other.original && cache.count == 1)
        #expect(cache.otherSide(of: masqueraded(4000).original, at: 1) == nil)
    }

    @Test func `A full cache evicts the least recently updated flow`() {
        var cache = FlowTranslations(capacity: 100)
        for port in 1...250 as ClosedRange<UInt16> { cache.record(masqueraded(port), at: Int64(port)) }
        #expect(cache.count == 100 && cache.counters.evicted == 150)
        #expect(cache.otherSide(of: outside(150), at: 250) == nil)
        #expect(cache.otherSide(of: outside(151), at: 250) != nil)
        // An update makes the flow the newest.
        cache.record(masqueraded(151), at: 251)
        cache.record(masqueraded(251), at: 252)
        #expect(cache.otherSide(of: outside(151), at: 252) != nil)
        #expect(cache.otherSide(of: outside(152), at: 252) == nil)
        #expect(cache.count == 100)
    }

    @Test func `A flow that is not updated for its lifetime expires`() {
        var cache = FlowTranslations(lifetimeNanoseconds: 10 * second)
        cache.record(masqueraded(1), at: 0)
        cache.record(masqueraded(2), at: 5 * second)
        #expect(cache.otherSide(of: outside(1), at: 10 * second) != nil)
        #expect(cache.otherSide(of: outside(1), at: 10 * second + 1) == nil)
        #expect(cache.otherSide(of: outside(2), at: 15 * second) != nil)
        #expect(cache.counters.expired == 1 && cache.count == 1)
    }

    @Test func `Random events keep the cache consistent`() {
        var cache = FlowTranslations(capacity: 16, lifetimeNanoseconds: 40)
        let seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        var random = Xorshift(state: seed)
        var now: Int64 = 0
        for round in 0..<20000 {
            now += Int64.random(in: 0...3, using: &random)
            let port = UInt16.random(in: 1...40, using: &random)
            var flow = masqueraded(port, id: UInt32.random(in: 1...3, using: &random))
            if Bool.random(using: &random) {
                flow.reply.selector = .ports(source: 862, destination: UInt16.random(in: 1...40, using: &random))
            }
            let kind = FlowEvent.Kind.allCases.randomElement(using: &random)!
            cache.record(FlowEvent(kind, flow), at: now)
            #expect(cache.count <= 16, "round \(round) of seed \(seed)")
            if kind != .destroy {
                let otherSide = cache.otherSide(of: flow.original, at: now)
                #expect(otherSide == flow.translated, "round \(round) of seed \(seed)")
            }
        }
        _ = cache.otherSide(of: outside(1), at: now + 1000)
        #expect(cache.count == 0)
    }
}

/// A pseudo-random sequence that is the same in every run.
private struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
