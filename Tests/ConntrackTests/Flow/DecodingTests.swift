import CLinux
import Netlink
import NetworkAddresses
import Testing

@testable import Conntrack

/// Decoding of a real kernel's messages, attribute by attribute.
@Suite struct FlowDecodingTests {
    @Test func `An unreplied UDP flow has its counters and start time`() throws {
        let flow = try flow(Captured.udpUnreplied)
        #expect(flow.original == tuple(.udp, "192.0.2.1:4000", "192.0.2.2:5000"))
        #expect(flow.reply == tuple(.udp, "192.0.2.2:5000", "192.0.2.1:4000"))
        #expect(flow.status == [.confirmed, .sourceNATDone, .destinationNATDone])
        #expect(flow.isUnreplied)
        #expect(flow.timeout == 29)
        #expect(flow.mark == 0)
        #expect(flow.id == 0xDB97_22CD)
        #expect(flow.use == 1)
        #expect(flow.originalCounters == Flow.Counters(packets: 1, bytes: 48))
        // The kernel reported 0 for the reply direction, which is not nil.
        #expect(flow.replyCounters == Flow.Counters(packets: 0, bytes: 0))
        #expect(flow.startTime == 0x18EA_2792_CC90_C74C)
        #expect(flow.stopTime == nil && flow.tcpState == nil && flow.namespaceID == nil)
        #expect(flow.zone == nil && flow.originalZone == nil && flow.replyZone == nil)
    }

    @Test func `Without accounting there are no counters and no start time`() throws {
        let flow = try flow(Captured.udpMark)
        #expect(flow.mark == 42)
        #expect(flow.originalCounters == nil && flow.replyCounters == nil && flow.startTime == nil)
    }

    @Test func `A zone belongs to both directions or to one`() throws {
        let both = try flow(Captured.udpZone)
        #expect(both.zone == 5 && both.originalZone == nil && both.replyZone == nil)
        let one = try flow(Captured.udpOriginalZone)
        #expect(one.zone == nil && one.originalZone == 9 && one.replyZone == nil)
    }

    @Test(arguments: [
        (Captured.tcpEstablished, TCPState.established, "ESTABLISHED"), (Captured.tcpTimeWait, .timeWait, "TIME_WAIT"),
        (Captured.tcpIPv6, .established, "ESTABLISHED"),
    ])
    func `A TCP flow has its state`(message: [UInt8], state: TCPState, name: String) throws {
        let flow = try flow(message)
        #expect(flow.tcpState == state && state.description == name)
        #expect(flow.original.transport == .tcp && !flow.isUnreplied)
        #expect(flow.status?.contains(.assured) == true)
    }

    @Test func `An IPv6 flow has IPv6 addresses`() throws {
        let flow = try flow(Captured.tcpIPv6)
        #expect(flow.original == tuple(.tcp, "[2001:db8::1]:4100", "[2001:db8::2]:80"))
    }

    @Test func `An ICMP echo has type, code and identifier`() throws {
        let echo = try flow(Captured.icmpEcho)
        #expect(echo.original.selector == .icmp(type: 8, code: 0, identifier: 0x1234))
        #expect(echo.reply.selector == .icmp(type: 0, code: 0, identifier: 0x1234))
        #expect(echo.reply == echo.original.inverted)
        let echo6 = try flow(Captured.icmpv6Echo)
        #expect(echo6.original.selector == .icmp(type: 128, code: 0, identifier: 0x77))
        #expect(echo6.reply == echo6.original.inverted)
    }

    @Test func `GRE has keys, and another protocol has only addresses`() throws {
        #expect(try flow(Captured.gre).original.selector == .ports(source: 0, destination: 0))
        let other = try flow(Captured.protocol99)
        #expect(other.original.selector == .none && other.original.transport.rawValue == 99)
        #expect(other.original.sourcePort == nil && other.original.destinationPort == nil)
    }

    @Test(arguments: Captured.flows) func `A tuple that is written can be decoded`(message: [UInt8]) throws {
        let original = try flow(message).original
        var writer = MessageWriter(type: ConntrackMessage.new, fixed: nfgenmsg())
        original.write(as: CTA_TUPLE_ORIG, to: &writer.attributes)
        original.inverted.write(as: CTA_TUPLE_REPLY, to: &writer.attributes)
        let read = try flow(try writer.finished())
        #expect(read.original == original && read.reply == original.inverted)
        #expect(read == Flow(original: original, reply: original.inverted))
    }

    @Test func `Messages of other types and subsystems are skipped`() throws {
        #expect(try flows(Captured.done).isEmpty)
        #expect(try flows(typed(Captured.gre, ConntrackMessage.statistics)).isEmpty)
        // The same message number in another subsystem.
        #expect(try flows(typed(Captured.gre, 0x0200)).isEmpty)
    }

    @Test func `The kind of an event follows from its message type and flags`() throws {
        func kind(_ message: [UInt8]) throws -> FlowEvent.Kind? {
            try decodeAll(message) { message throws(NetlinkFormatError) in try FlowEvent(message) }.first?.kind
        }
        #expect(try kind(flagged(Captured.gre, NLM_F_CREATE | NLM_F_EXCL)) == .new)
        #expect(try kind(flagged(Captured.gre, 0)) == .update)
        #expect(try kind(typed(Captured.gre, ConntrackMessage.delete)) == .destroy)
        #expect(try kind(Captured.done) == nil)
    }
}
