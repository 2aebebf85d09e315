import Conntrack
import NetworkAddresses
import Report
import Testing

@testable import probe

@Suite struct SessionFlowsTests {
    private static let here = IPAddress.v4(0xC000_0201)
    private static let outside = IPAddress.v4(0xCB00_7101)
    private static let inside = [IPAddress.v4(0xC633_6401), IPAddress.v4(0xC633_6402)]

    private var flows = SessionFlows(port: 862, localPorts: [49152...49152], addresses: [Self.here])

    /// A flow from here to the outside address, translated to one of the inside ones if asked.
    private func flow(
        from port: UInt16 = 49152, to peerPort: UInt16 = 862, insideNumber: Int? = nil,
        _ status: FlowStatus = .confirmed,
        transport: TransportProtocol = .udp
    ) -> Flow {
        let original = FlowTuple(transport, from: Self.here, port: port, to: Self.outside, port: peerPort)
        let far = insideNumber.map { Self.inside[$0] } ?? Self.outside
        var flow = Flow(
            original: original, reply: FlowTuple(transport, from: far, port: peerPort, to: Self.here, port: port))
        flow.status = status
        return flow
    }

    /// A flow to this host, which it answers.
    private func answered(_ port: Int, insideNumber: Int? = nil) -> Flow {
        let original = FlowTuple(.udp, from: Self.outside, port: UInt16(port), to: Self.here, port: 862)
        let back = insideNumber.map { Self.inside[$0] } ?? Self.outside
        return Flow(
            original: original, reply: FlowTuple(.udp, from: Self.here, port: 862, to: back, port: UInt16(port)))
    }

    @Test mutating func `A flow of the local session is reported, and again only when it changes`() {
        let new = flows.update(.new, flow(), at: 5)
        #expect(
            new
                == FlowChange(
                    .new, noticed: 5, isLocalSession: true, original: "192.0.2.1:49152 > 203.0.113.1:862",
                    isConfirmed: true, isReplied: false))
        #expect(flows.update(.changed, flow(), at: 6) == nil)
        let replied = flows.update(.changed, flow([.confirmed, .seenReply]), at: 7)
        #expect(replied?.kind == .changed && replied?.isReplied == true)
        #expect(flows.update(.changed, flow([.confirmed, .seenReply, .assured]), at: 8) == nil)
    }

    @Test mutating func `Flows of other ports and protocols are ignored`() {
        #expect(flows.update(.new, flow(to: 53), at: 0) == nil)
        #expect(flows.update(.new, flow(transport: .tcp), at: 0) == nil)
        // Of an earlier run, from another port.
        #expect(flows.update(.new, flow(from: 50000), at: 0) == nil)
    }

    @Test mutating func `A flow that returns with another translation is reported with both translations`() {
        _ = flows.update(.new, flow(insideNumber: 0), at: 1)
        #expect(flows.update(.gone, flow(insideNumber: 0), at: 2)?.kind == .gone)
        let again = flows.update(.new, flow(insideNumber: 1), at: 3)
        #expect(again?.translated == "192.0.2.1:49152 > 198.51.100.2:862")
        #expect(again?.translatedBefore == "192.0.2.1:49152 > 198.51.100.1:862")
        // So is one that returns untranslated.
        #expect(flows.update(.new, flow(), at: 4)?.translatedBefore == "192.0.2.1:49152 > 198.51.100.2:862")
        #expect(flows.update(.gone, flow(), at: 5)?.isRetranslated == false)
    }

    @Test mutating func `A flow that was replied is still replied when it ends`() {
        _ = flows.update(.changed, flow([.confirmed, .seenReply]), at: 1)
        #expect(flows.update(.gone, flow([]), at: 2)?.isReplied == true)
    }

    @Test mutating func `The same flow in two namespaces is two flows`() {
        var elsewhere = flow()
        elsewhere.namespaceID = 3
        #expect(flows.update(.found, flow(), at: 1)?.namespace == nil)
        #expect(flows.update(.found, elsewhere, at: 1)?.namespace == 3)
    }

    @Test mutating func `Forwarded flows are ignored, and flows translated to this host are not`() {
        let others = FlowTuple(.udp, from: Self.inside[0], port: 50000, to: Self.outside, port: 862)
        #expect(flows.update(.new, Flow(original: others, reply: others.inverted), at: 0) == nil)
        // Translated to this host, which is an end of it.
        let reply = FlowTuple(.udp, from: Self.here, port: 862, to: Self.inside[0], port: 50000)
        #expect(flows.update(.new, Flow(original: others, reply: reply), at: 0)?.isLocalSession == false)
    }

    @Test mutating func `Ended flows are evicted if there are too many, and expire`() {
        for number in 0..<FlowHistory.limit { _ = flows.update(.new, answered(50000 + number), at: 0) }
        _ = flows.update(.gone, answered(50007), at: 1)
        #expect(flows.update(.new, answered(60000), at: 2)?.kind == .new)
        #expect(flows.update(.new, answered(60001), at: 2) == nil && flows.droppedEvents == 1)
        _ = flows.update(.gone, answered(60000), at: 3)
        let later = flows.update(.new, answered(60000, insideNumber: 0), at: 4 + SessionFlows.retention)
        #expect(later?.kind == .new && later?.isRetranslated == false)
    }

    @Test mutating func `The number of flows is bounded, and ignored events are counted`() {
        for number in 0..<1000 { _ = flows.update(.new, answered(50000 + number), at: 0) }
        #expect(flows.droppedEvents == 1000 - UInt64(FlowHistory.limit))
    }
}
