import Foundation
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Conntrack

/// Tests of the kernel's conntrack table.
@Suite(.enabled(if: LiveNamespace.isPossible, LiveNamespace.comment)) struct LiveTableTests {
    private let two: UInt32 = 0xC000_0202

    @Test func `Flows of sent packets are in the table, translated or not`() throws {
        let namespace = try LiveNamespace(settings: ["nf_conntrack_acct=1", "nf_conntrack_timestamp=1"])
        let table = try ConntrackTable(namespace: namespace.name)
        #expect(try table.size().flows == 0)
        let before = ClockID.realtime.now()
        let sender = try namespace.socket()
        sender.send(to: two, 5000)
        sender.send(to: two, 5000)
        sender.send(to: 0xC633_6409, 5001)
        sender.send(to: two, 6001)
        var flows: [Flow] = []
        try table.dump(.ipv4) { flows.append(copy $0) }
        #expect(flows.count == 3)
        #expect(try table.size().flows == 3)
        #expect(try table.size().limit ?? 0 > 1000)

        let plain = try #require(flows.first { $0.original.destinationPort == 5000 })
        #expect(plain.original == tuple(.udp, "192.0.2.2:\(sender.port)", "192.0.2.2:5000"))
        #expect(plain.originalCounters == Flow.Counters(packets: 2, bytes: 58))
        #expect(plain.replyCounters == Flow.Counters(packets: 0, bytes: 0))
        #expect(plain.isUnreplied && !plain.isTranslated && plain.zone == nil && plain.stopTime == nil)
        #expect(plain.status?.contains(.confirmed) == true)
        #expect((before...ClockID.realtime.now()).contains(try #require(plain.startTime)))
        let translated = try #require(flows.first { $0.original.destinationPort == 5001 })
        #expect(translated.translatedEnds == .destination && translated.status?.contains(.destinationNAT) == true)
        #expect(translated.translated.destination == address("192.0.2.2"))
        #expect(flows.first { $0.original.destinationPort == 6001 }?.zone == 5)

        #expect(try table.discardDump() == 3)
        #expect(try table.discardDump(.ipv6) == 0)
    }

    @Test func `A flow is found and deleted by either tuple, only in its zone`() throws {
        let namespace = try LiveNamespace()
        let table = try ConntrackTable(namespace: namespace.name)
        let sender = try namespace.socket()
        sender.send(to: 0xC633_6409, 5001)
        sender.send(to: two, 6001)
        var flows: [Flow] = []
        try table.dump { flows.append(copy $0) }
        let translated = try #require(flows.first { $0.isTranslated })
        let zoned = try #require(flows.first { $0.zone == 5 })

        for tuple in [translated.original, translated.reply] {
            for direction in [Flow.Direction.original, .reply] {
                #expect(try table.flow(tuple, direction: direction)?.id == translated.id)
            }
        }
        // The tuple after translation is neither of the flow's tuples.
        #expect(try table.flow(translated.translated) == nil)
        for seen in [translated.original, translated.reply, translated.translated, translated.original.inverted] {
            #expect(try table.flow(ofPackets: seen)?.id == translated.id)
        }
        #expect(try !table.contains(zoned.original))
        #expect(try table.contains(zoned.original, zone: 5))

        let another = try #require(translated.id) &+ 1
        #expect(try !table.delete(translated.original, id: another))
        #expect(try table.contains(translated.original))
        #expect(try table.delete(translated.reply, id: translated.id))
        #expect(try !table.contains(translated.original))
        #expect(try !table.delete(translated.original))
        #expect(try !table.delete(zoned.original))
        #expect(try table.delete(zoned.original, zone: 5))
        #expect(try table.size().flows == 0)
    }

    /// Covers everything that conntrack(8) can show without a helper.
    @Test(arguments: [false, true])
    func `Text equals the output of conntrack, line by line`(hasAccounting: Bool) throws {
        let namespace = try LiveNamespace(
            settings: ["nf_conntrack_acct=\(hasAccounting ? 1 : 0)", "nf_conntrack_timestamp=\(hasAccounting ? 1 : 0)"])
        let udp = try namespace.socket()
        for port in [5000, 6001] as [UInt16] { udp.send(to: two, port) }
        udp.send(to: 0xC633_6409, 5001)
        let flows = """
            conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2 --state ESTABLISHED -t 9000 -u ASSURED
            conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 3 --state SYN_SENT -t 9000 -m 7
            conntrack -I -p tcp -s 2001:db8::1 -d 2001:db8::2 --sport 1 --dport 2 --state TIME_WAIT -t 9000 -u SEEN_REPLY
            conntrack -I -p udp -s 2001:db8::1 -d 2001:db8:9::9 -r 2001:db8::2 -q 2001:db8::1 --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1 -t 9000
            conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 9 --dport 9 -t 9000 -n 203.0.113.7:4000
            conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 10 --dport 9 -t 9000 -w 77 -u SEEN_REPLY,ASSURED
            conntrack -I -p icmp -s 192.0.2.1 -d 192.0.2.2 --icmp-type 8 --icmp-code 0 --icmp-id 4660 -t 9000
            conntrack -I -p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 9000
            conntrack -I -p gre -s 192.0.2.1 -d 192.0.2.2 --srckey 0xab --dstkey 0xc -t 9000
            conntrack -I -p 99 -s 192.0.2.1 -d 192.0.2.2 -t 9000
            """
        let lines = flows.split(separator: "\n")
        for line in lines { try namespace.shell("\(line) >/dev/null") }
        let table = try ConntrackTable(namespace: namespace.name)
        let styles: [(options: String, details: FlowWriter.Details)] = [
            ("", []), ("-o extended,id", [.family, .id]), ("-o ktimestamp", .times),
        ]
        for style in styles {
            // Timeouts and ages are whole seconds, and the two outputs are taken at different times: retry until they
            // agree.
            var (ours, current): ([String], [String]) = ([], [])
            for _ in 0..<20 {
                var writer = FlowWriter(.text, style.details)
                try table.dump { writer.append($0, at: ClockID.realtime.now()) }
                ours = String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
                current = try namespace.shell("conntrack -L \(style.options)").split(separator: "\n").map(String.init)
                if ours == current { break }
            }
            #expect(ours == current)
            #expect(ours.count == lines.count + 3, "\(ours)")
        }
    }

    @Test func `A missing namespace is an error with a remedy`() {
        let error = #expect(throws: SystemError.self) { try ConntrackTable(namespace: "nosuchnamespace") }
        #expect(error.map { "\($0)".contains("ip netns list") } == true)
    }
}
