import ArgumentParser
import Conntrack
import NetworkAddresses
import Testing

@testable import probe

/// The arguments and filters of `probe conntrack`, and the summary of its events.
@Suite struct ConntrackOptionTests {
    @Test(
        arguments: [
            ("192.0.2.1:4000", "192.0.2.1", 4000), ("[2001:db8::1]:4000", "2001:db8::1", 4000),
            ("192.0.2.1", "192.0.2.1", nil),
            ("2001:db8::1", "2001:db8::1", nil), ("[::]:0", "::", 0), ("::1:4000", "::1:4000", nil),
        ] as [(String, String, UInt16?)])
    func `An end of a flow is an address with or without a port`(text: String, address: String, port: UInt16?) {
        let end = FlowEnd(argument: text)
        #expect(end?.address == IPAddress(address) && end?.port == port && end != nil)
    }

    @Test(arguments: [
        "", ":", ":4000", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "[192.0.2.1]:4000", "[2001:db8::1]",
        "[2001:db8::1:4000", "2001:db8:1:2:3:4:5:6:4000", "host:80", "192.0.2.1:4000:1",
    ])
    func `Text that is no end of a flow is rejected`(text: String) { #expect(FlowEnd(argument: text) == nil) }

    @Test func `An ICMP flow is given by type, code and identifier`() {
        let ping = ICMPQuery(argument: "8/0/4660")
        #expect(ping?.type == 8 && ping?.code == 0 && ping?.identifier == 4660)
        for text in ["", "8", "8/0", "256/0/1", "8/0/65536", "8/0/1/2", "8//1", "a/b/c"] {
            #expect(ICMPQuery(argument: text) == nil, "\(text)")
        }
    }

    private func get(_ arguments: String) throws -> ConntrackCommand.Get {
        let command = try Probe.parseAsRoot(["conntrack", "get"] + arguments.split(separator: " ").map(String.init))
        return try #require(command as? ConntrackCommand.Get)
    }

    @Test func `A flow is given by its protocol and both ends`() throws {
        let udp = try get("udp 192.0.2.1:1 192.0.2.2:2 --zone 7").named
        #expect(udp.tuple.transport == .udp && udp.tuple.selector == .ports(source: 1, destination: 2) && udp.zone == 7)
        #expect(try get("UDP [::1]:1 [::2]:2").named.tuple.source == IPAddress("::1"))
        #expect(
            try get("icmpv6 ::1 ::2 --icmp 128/0/9").named.tuple.selector
                == .icmp(type: 128, code: 0, identifier: 9))
        #expect(try get("99 192.0.2.1 192.0.2.2").named.tuple.selector == .none)
        #expect(try get("gre 192.0.2.1:5 192.0.2.2:6").named.tuple.transport == .gre)
    }

    @Test(arguments: [
        "udp 192.0.2.1 192.0.2.2", "udp 192.0.2.1:1 192.0.2.2", "udp 192.0.2.1:1 [::2]:2", "icmp 192.0.2.1 192.0.2.2",
        "icmp 192.0.2.1:1 192.0.2.2:2 --icmp 8/0/1", "udp 192.0.2.1:1 192.0.2.2:2 --icmp 8/0/1", "udp 192.0.2.1:1",
        "nosuch 192.0.2.1 192.0.2.2", "256 192.0.2.1 192.0.2.2",
    ])
    func `Arguments that describe no flow are rejected`(arguments: String) {
        let error = #expect(throws: (any Error).self) { try get(arguments) }
        #expect(error.map { Probe.exitCode(for: $0).rawValue } == 64)
    }

    @Test func `The default subcommand is list`() throws {
        let command = try Probe.parseAsRoot(["conntrack", "--translated", "--port", "53", "--address", "192.0.2.0/24"])
        let list = try #require(command as? ConntrackCommand.List)
        #expect(list.filters.selection.isTranslatedOnly && list.filters.selection.port == 53)
    }

    // MARK: - Filters

    private let translated = Flow(
        original: FlowTuple(.udp, from: .v4(0x0A00_0002), port: 4000, to: .v4(0xC633_6401), port: 53),
        reply: FlowTuple(.udp, from: .v4(0xC000_0202), port: 5353, to: .v4(0xC000_0201), port: 4000))

    @Test func `A filter matches either end of a flow, before or after translation`() throws {
        func chooses(_ selection: FlowSelection) -> Bool { selection.contains(translated) }
        #expect(chooses(FlowSelection()))
        for network in ["10.0.0.0/8", "198.51.100.1", "192.0.2.2", "192.0.2.1/32", "0.0.0.0/0"] {
            #expect(chooses(FlowSelection(network: IPNetwork(network))), "\(network)")
        }
        for network in ["11.0.0.0/8", "::/0", "192.0.2.3"] {
            #expect(!chooses(FlowSelection(network: IPNetwork(network))), "\(network)")
        }
        for port in [4000, 53, 5353] as [UInt16] { #expect(chooses(FlowSelection(port: port))) }
        #expect(!chooses(FlowSelection(port: 0)) && !chooses(FlowSelection(port: 54)))
        #expect(chooses(FlowSelection(transport: .udp)) && !chooses(FlowSelection(transport: .tcp)))
        #expect(chooses(FlowSelection(isTranslatedOnly: true)))
        let plain = Flow(original: translated.original, reply: translated.original.inverted)
        #expect(!FlowSelection(isTranslatedOnly: true).contains(plain))
        #expect(!chooses(FlowSelection(port: 53, transport: .tcp)))
    }

    // MARK: - Summary

    @Test func `The summary shows only counts that are not zero`() {
        var account = EventAccount()
        account.received = 5
        #expect(account.summary(shown: 4) == "5 events: 5 received; 4 shown.")
        (account.lost, account.overruns, account.leftOut, account.trips, account.malformed) = (7, 2, 100, 1, 3)
        #expect(
            account.summary(shown: 4) == """
                115 events: 5 received, 7 lost to a full buffer (2 overruns), 100 dropped by sampling in 1 storm, \
                3 malformed; 4 shown.
                """)
        account.isLeftOutExact = false
        (account.trips, account.unread) = (2, 9)
        #expect(
            account.summary(shown: 4).contains(", about 100 dropped by sampling in 2 storms, 9 unread at the end, "))
        #expect(
            account.json(shown: 4) == """
                {"type":"summary","events":124,"shown":4,"received":5,"lost":7,"overruns":2,"left_out":100,"storms":2,\
                "unread":9,"malformed":3,"left_out_is_estimate":true}

                """)
    }
}
