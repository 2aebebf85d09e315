import Foundation
import NetworkAddresses
import Testing

@testable import Conntrack

/// Tests of the exact bytes of each line.
@Suite struct FlowWriterTests {
    /// One second after the start of the captured flows.
    private let now: Int64 = 0x18EA_2792_CC90_C74C + 1_000_000_000

    private func line(
        _ message: [UInt8], _ format: FlowWriter.Format = .text, _ details: FlowWriter.Details = [],
        event: FlowEvent.Kind? = nil, _ change: (inout Flow) -> Void = { _ in }
    ) throws -> String {
        var writer = FlowWriter(format, details)
        if format == .csv { writer.clear() }
        var flow = try flow(message)
        change(&flow)
        writer.append(flow, event: event, at: now)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    // conntrack 1.4.7 printed these lines for the same flows.
    @Test func `Text lines equal those of conntrack`() throws {
        #expect(
            try line(Captured.udpZone) == """
                udp      17 29 src=192.0.2.1 dst=192.0.2.2 sport=4004 dport=6001 [UNREPLIED] src=192.0.2.2 \
                dst=192.0.2.1 sport=6001 dport=4004 mark=0 zone=5 use=1

                """)
        #expect(
            try line(Captured.udpOriginalZone, .text, .id) == """
                udp      17 29 src=192.0.2.1 dst=192.0.2.2 sport=4006 dport=6003 zone-orig=9 [UNREPLIED] src=192.0.2.2 \
                dst=192.0.2.1 sport=6003 dport=4006 mark=0 use=1 id=752843512

                """)
        #expect(
            try line(Captured.tcpIPv6, .text, .family) == """
                ipv6     10 tcp      6 431999 ESTABLISHED src=2001:db8::1 dst=2001:db8::2 sport=4100 dport=80 packets=3 \
                bytes=229 src=2001:db8::2 dst=2001:db8::1 sport=80 dport=4100 packets=2 bytes=152 [ASSURED] mark=0 \
                delta-time=1 use=1

                """)
        #expect(
            try line(Captured.icmpEcho) == """
                icmp     1 29 src=192.0.2.1 dst=192.0.2.2 type=8 code=0 id=4660 packets=1 bytes=28 src=192.0.2.2 \
                dst=192.0.2.1 type=0 code=0 id=4660 packets=1 bytes=28 mark=0 delta-time=1 use=1

                """)
        #expect(
            try line(Captured.protocol99) == """
                unknown  99 599 src=192.0.2.1 dst=192.0.2.2 [UNREPLIED] src=192.0.2.2 dst=192.0.2.1 mark=0 use=1

                """)
        #expect(
            try line(Captured.gre) == """
                gre      47 29 src=192.0.2.1 dst=192.0.2.2 srckey=0x0 dstkey=0x0 [UNREPLIED] src=192.0.2.2 \
                dst=192.0.2.1 srckey=0x0 dstkey=0x0 mark=0 use=1

                """)
    }

    @Test func `Text shows offloading and namespaces, and omits absent values`() throws {
        #expect(try line(Captured.udpMark) { $0.status?.insert(.offloaded) }.contains("[OFFLOAD] mark=42 use=1\n"))
        let hardware = try line(Captured.udpMark) { $0.status?.formUnion([.offloaded, .hardwareOffloaded, .assured]) }
        #expect(hardware.contains(" [HW_OFFLOAD] mark=42 ") && !hardware.contains("ASSURED"))
        #expect(try line(Captured.udpMark) { $0.namespaceID = 7 }.hasSuffix("mark=42 use=1 nsid=7\n"))
        let bare = try line(Captured.udpUnreplied) { $0 = Flow(original: $0.original, reply: $0.reply) }
        #expect(
            bare == """
                udp      17 src=192.0.2.1 dst=192.0.2.2 sport=4000 dport=5000 src=192.0.2.2 dst=192.0.2.1 sport=5000 \
                dport=4000

                """)
    }

    @Test func `Event lines have their kind, and their time if requested`() throws {
        #expect(try line(Captured.gre, event: .new).hasPrefix("    [NEW] gre "))
        #expect(try line(Captured.gre, event: .update).hasPrefix(" [UPDATE] gre "))
        #expect(try line(Captured.gre, event: .destroy).hasPrefix("[DESTROY] gre "))
        let timed = try line(Captured.gre, .text, .times, event: .new)
        #expect(timed.hasPrefix("[1795290913.\(now / 1000 % 1_000_000)]\t    [NEW] gre "), "\(timed)")
    }

    @Test func `Text shows start and stop times`() throws {
        let text = try line(Captured.udpUnreplied, .text, .times) { $0.stopTime = ($0.startTime ?? 0) + 61_000_000_000 }
        #expect(text.contains(#/delta-time=61 \[start=[A-Z][a-z]{2} Nov 2\d \d\d:\d\d:12 2026\] \[stop=.{24}\] use=1/#))
    }

    @Test func `JSON lines are valid, and absent values are null`() throws {
        for message in Captured.flows {
            let text = try line(message, .json)
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect(object?["protocol_number"] is Int && text.hasSuffix("}\n") && text.count { $0 == "\n" } == 1)
        }
        #expect(
            try line(Captured.udpSourceNAT, .json, event: .update) { $0.namespaceID = -3 } == """
                {"type":"flow","time_ns":\(now),"event":"update","nsid":-3,"protocol":"udp","protocol_number":17,"original":{"source":\
                "192.0.2.1","destination":"192.0.2.2","source_port":4003,"destination_port":5555,"zone":null,"packets":1,\
                "bytes":48},"reply":{"source":"192.0.2.2","destination":"192.0.2.77","source_port":5555,\
                "destination_port":40001,"zone":null,"packets":0,"bytes":0},"translated":["source"],"status":\
                ["confirmed","src_nat","src_nat_done","dst_nat_done"],"tcp_state":null,"timeout_s":29,"mark":0,\
                "zone":null,"id":1699999605,"use":1,"start_ns":1795290912911617369,"stop_ns":null}

                """)
    }

    @Test func `Every CSV row has the columns of the header`() throws {
        let header = String(decoding: FlowWriter(.csv).bytes, as: UTF8.self)
        #expect(header.hasPrefix("time_ns,event,nsid,protocol,source,") && header.hasSuffix(",start_ns,stop_ns\n"))
        for message in Captured.flows {
            let row = try line(message, .csv)
            #expect(row.count { $0 == "," } == header.count { $0 == "," } && row.count { $0 == "\n" } == 1)
        }
        #expect(
            try line(Captured.udpSourceNAT, .csv, event: .new) == """
                \(now),new,,udp,192.0.2.1,4003,192.0.2.2,5555,,,,192.0.2.2,5555,192.0.2.77,40001,,,,source,\
                confirmed+src_nat+src_nat_done+dst_nat_done,,29,0,,,,1699999605,1,1,48,0,0,1795290912911617369,

                """)
        #expect(try line(Captured.icmpEcho, .csv).contains(",icmp,192.0.2.1,,192.0.2.2,,8,0,4660,192.0.2.2,,"))
    }

    @Test(arguments: [
        0, 9, 10, 99, 100, 65535, 999_999_999, 1_000_000_000, 4_294_967_295, 4_294_967_296, 10_000_000_000,
        1_000_000_000_000_000_000, UInt64.max - 1, .max,
    ])
    func `Decimal numbers are written exactly`(value: UInt64) {
        #expect(written { $0.append(decimal: value) } == "\(value)")
        let signed = Int64(truncatingIfNeeded: value)
        #expect(written { $0.append(signed: signed) } == "\(signed)")
    }

    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "10.0.200.99", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
        "2001:0:0:1::1", "fe80::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "abcd:ef01:2345:6789:abc:de:f:0",
        "0:1::", "1:0:0:2:0:0:0:3", "1:0:0:2:3:0:0:4", "0:0:1::",
    ])
    func `Addresses are written as in their description`(text: String) {
        let address = address(text)
        #expect(written { $0.append(address) } == address.description)
    }

    private func written(_ body: (inout ByteText) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            var text = ByteText(next: buffer.baseAddress!)
            body(&text)
            return String(decoding: buffer[..<(text.next - buffer.baseAddress!)], as: UTF8.self)
        }
    }

    @Test func `A full buffer drops lines, and a cleared one accepts them`() throws {
        var writer = FlowWriter(.text, capacity: 1)
        let flow = try flow(Captured.tcpIPv6)
        var lines = 0
        while !writer.isFull {
            writer.append(flow, at: now)
            lines += 1
        }
        let full = writer.bytes
        #expect(lines > 10 && full.count { $0 == UInt8(ascii: "\n") } == lines)
        writer.append(flow, at: now)
        #expect(writer.bytes == full)
        writer.clear()
        #expect(writer.bytes.isEmpty && !writer.isFull)
        writer.append(flow, at: now)
        #expect(writer.bytes == Array(full.prefix(full.count / lines)))
    }

    /// Each field has its longest value.
    @Test(arguments: FlowWriter.Format.allCases) func `No line is longer than the space reserved for it`(
        format: FlowWriter.Format
    ) throws {
        let end = address("1111:2222:3333:4444:5555:6666:7777:8888")
        let longest = FlowTuple(
            source: end, destination: end, transport: .icmpv6,
            selector: .icmp(type: .max, code: .max, identifier: .max))
        var flow = Flow(original: longest, reply: longest)
        flow.reply.selector = .ports(source: .max, destination: .max)
        flow.status = FlowStatus(rawValue: .max)
        (flow.timeout, flow.mark, flow.id, flow.use) = (.max, .max, .max, .max)
        (flow.zone, flow.originalZone, flow.replyZone) = (.max, .max, .max)
        flow.originalCounters = Flow.Counters(packets: .max, bytes: .max)
        flow.replyCounters = Flow.Counters(packets: .max, bytes: .max)
        (flow.startTime, flow.stopTime, flow.namespaceID) = (.min, .max, .min)
        flow.tcpState = .synReceived
        var writer = FlowWriter(format, [.family, .id, .times])
        writer.clear()
        writer.append(flow, event: .destroy, at: .min)
        #expect(writer.bytes.count < FlowWriter.longestLine / 2)
    }
}
