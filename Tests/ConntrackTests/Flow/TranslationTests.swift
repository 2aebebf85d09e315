import Testing

@testable import Conntrack

/// Tests of a flow's translated ends and directions.
@Suite struct TranslationTests {
    @Test func `A flow without NAT has no translated end`() throws {
        for message in [Captured.udpUnreplied, Captured.tcpIPv6, Captured.icmpEcho, Captured.icmpv6Echo, Captured.gre] {
            let flow = try flow(message)
            #expect(flow.translatedEnds == [] && !flow.isTranslated && flow.translated == flow.original)
        }
    }

    @Test func `A translated source is found`() throws {
        let flow = try flow(Captured.udpSourceNAT)
        #expect(flow.translatedEnds == .source && flow.isTranslated)
        #expect(flow.status?.contains(.sourceNAT) == true && flow.status?.contains(.destinationNAT) == false)
        #expect(flow.translated == tuple(.udp, "192.0.2.77:40001", "192.0.2.2:5555"))
    }

    @Test func `A translated destination is found, even if only its port differs`() throws {
        let address = try flow(Captured.udpDestinationNAT)
        #expect(address.translatedEnds == .destination && address.status?.contains(.destinationNAT) == true)
        #expect(address.translated == tuple(.udp, "192.0.2.1:4002", "192.0.2.2:5002"))
        #expect(try flow(Captured.udpIPv6DestinationNAT).translatedEnds == .destination)
        var port = try flow(Captured.udpUnreplied)
        port.reply.selector = .ports(source: 5001, destination: 4000)
        #expect(port.translatedEnds == .destination)
        port.reply.selector = .ports(source: 5000, destination: 4001)
        #expect(port.translatedEnds == .source)
        port.reply.selector = .ports(source: 5001, destination: 4001)
        #expect(port.translatedEnds == [.source, .destination])
    }

    @Test func `A translated ICMP identifier counts as the source`() throws {
        var ping = try flow(Captured.icmpEcho)
        ping.reply.selector = .icmp(type: 0, code: 0, identifier: 7)
        #expect(ping.translatedEnds == .source)
    }

    @Test func `Inverting a tuple twice changes nothing`() {
        for type in UInt8.min...UInt8.max {
            for transport in [TransportProtocol.icmp, .icmpv6] {
                let tuple = FlowTuple(
                    source: address("192.0.2.1"), destination: address("192.0.2.2"), transport: transport,
                    selector: .icmp(type: type, code: 1, identifier: 2))
                #expect(tuple.inverted.inverted == tuple)
            }
        }
    }

    @Test func `A packet's direction is found before and after translation`() throws {
        let flow = try flow(Captured.udpDestinationNAT)
        #expect(flow.direction(of: tuple(.udp, "192.0.2.1:4002", "198.51.100.9:5002")) == .original)
        #expect(flow.direction(of: tuple(.udp, "192.0.2.1:4002", "192.0.2.2:5002")) == .original)
        #expect(flow.direction(of: tuple(.udp, "192.0.2.2:5002", "192.0.2.1:4002")) == .reply)
        #expect(flow.direction(of: tuple(.udp, "198.51.100.9:5002", "192.0.2.1:4002")) == .reply)
        #expect(flow.direction(of: tuple(.tcp, "192.0.2.1:4002", "198.51.100.9:5002")) == nil)
        #expect(flow.direction(of: tuple(.udp, "192.0.2.1:4003", "198.51.100.9:5002")) == nil)
    }
}
