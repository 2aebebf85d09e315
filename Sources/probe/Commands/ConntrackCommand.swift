import ArgumentParser
import Conntrack
import NetworkAddresses

struct ConntrackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conntrack",
        abstract: "Show the flows that the kernel tracks, and their NAT translations.",
        discussion: """
            EXAMPLE
              probe conntrack --translated
              probe conntrack follow --protocol udp --port 862
              probe conntrack get udp 192.0.2.1:49152 192.0.2.2:862 && echo tracked

            The kernel tracks flows in a network namespace as soon as a rule there needs
            it, such as a NAT rule. All subcommands need CAP_NET_ADMIN, except
            `probe conntrack count` in the current namespace. --namespace also needs
            CAP_SYS_ADMIN.

            \(ProbeError.exitCodes)
            """,
        subcommands: [List.self, Follow.self, Get.self, Delete.self, Count.self], defaultSubcommand: List.self)

    /// The network namespace to query.
    struct Place: ParsableArguments {
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Network namespace: its `ip netns` name, or a path such as /proc/123/ns/net.", valueName: "name"))
        var namespace: String?
    }

    /// The format of flows.
    struct Style: ParsableArguments {
        @Option(help: "text (like conntrack(8)), json (one object per line) or csv; see docs/conntrack.md.")
        var output = FlowWriter.Format.text

        @Flag(help: "With text: also show the address family.")
        var family = false

        @Flag(help: "With text: also show the flow ID.")
        var id = false

        @Flag(help: "With text: also show when flows began and ended, and the time of each event.")
        var times = false

        var details: FlowWriter.Details {
            var details: FlowWriter.Details = []
            if family { details.insert(.family) }
            if id { details.insert(.id) }
            if times { details.insert(.times) }
            return details
        }
    }

    /// The flows to show.
    struct Filters: ParsableArguments {
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp("Only flows with an end in this network.", valueName: "network"))
        var address: IPNetwork?

        @Option(name: .shortAndLong, help: "Only flows with this port at either end.")
        var port: UInt16?

        @Option(
            help: ArgumentHelp(
                "Only flows of this protocol: tcp, udp, icmp, icmpv6, sctp, … or a number.", valueName: "protocol"))
        var `protocol`: TransportProtocol?

        @Flag(help: "Only NATed flows.")
        var translated = false

        var selection: FlowSelection {
            FlowSelection(network: address, port: port, transport: `protocol`, isTranslatedOnly: translated)
        }
    }

    /// A flow, identified by a packet in either direction, before or after translation.
    struct Named: ParsableArguments {
        @Argument(help: ArgumentHelp("tcp, udp, icmp, icmpv6, sctp, … or a number.", valueName: "protocol"))
        var transport: TransportProtocol

        @Argument(help: "Address and port: 192.0.2.1:4000 or [2001:db8::1]:4000. For ICMP, only an address.")
        var source: FlowEnd

        @Argument(help: "The other end, in the same form.")
        var destination: FlowEnd

        @Option(help: ArgumentHelp("With icmp and icmpv6: type, code and identifier.", valueName: "type/code/id"))
        var icmp: ICMPQuery?

        @Option(help: "Conntrack zone.")
        var zone: UInt16 = 0

        func validate() throws {
            if source.address.isIPv4 != destination.address.isIPv4 {
                throw ValidationError("Both ends must be of the same address family.")
            }
            if (source.port == nil) != (destination.port == nil) {
                throw ValidationError("Give a port at both ends, or at neither.")
            }
            if transport.hasPorts, source.port == nil {
                throw ValidationError(
                    "\(transport) needs a port at both ends, as in 192.0.2.1:4000 or [2001:db8::1]:4000.")
            }
            if transport == .gre, source.port == nil {
                throw ValidationError("gre needs a key in place of the port at both ends, as in 192.0.2.1:0.")
            }
            let isICMP = transport == .icmp || transport == .icmpv6
            if isICMP, icmp == nil { throw ValidationError("\(transport) needs --icmp, such as 8/0/4660 for a ping.") }
            if isICMP, source.port != nil { throw ValidationError("\(transport) has no ports: give only addresses.") }
            if !isICMP, icmp != nil { throw ValidationError("--icmp can only be used with icmp and icmpv6.") }
        }

        var tuple: FlowTuple {
            let selector: FlowTuple.Selector =
                if let icmp {
                    .icmp(type: icmp.type, code: icmp.code, identifier: icmp.identifier)
                } else if let sourcePort = source.port, let destinationPort = destination.port {
                    .ports(source: sourcePort, destination: destinationPort)
                } else {
                    .none
                }
            return FlowTuple(
                source: source.address, destination: destination.address, transport: transport, selector: selector)
        }
    }
}

extension ConntrackCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the tracked flows.",
            usage: "probe conntrack [list] [<options>]",
            discussion: """
                EXAMPLE
                  probe conntrack list --address 192.0.2.0/24 --output csv
                """)

        @OptionGroup var place: Place
        @OptionGroup var filters: Filters
        @OptionGroup var style: Style

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).list(filters.selection, style) }
        }
    }

    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show flows as they begin, change and end, until stopped.",
            usage: "probe conntrack follow [<options>]",
            discussion: """
                EXAMPLE
                  probe conntrack follow --protocol udp --port 862

                When events exceed --limit per second, a random sample of them is shown until
                the rate falls again. Ctrl-C ends it with a summary, on standard error or as
                the last line of JSON: the number of events, and how many of them were lost to
                a full buffer or dropped by sampling.
                """)

        @OptionGroup var place: Place

        @Flag(help: "Also show flows of the namespaces that `ip netns list-id` lists, marked with nsid=.")
        var allNamespaces = false

        @Option(name: .shortAndLong, help: ArgumentHelp("Number of events. (default: unlimited)", valueName: "n"))
        var count: UInt64?

        @Option(name: .shortAndLong, help: ArgumentHelp("Time to listen for, such as 10s.", valueName: "time"))
        var duration: TimeSpan?

        @Option(help: ArgumentHelp("Events per second above which events are sampled; 0 for never.", valueName: "n"))
        var limit: UInt32 = 20_000

        @OptionGroup var filters: Filters
        @OptionGroup var style: Style

        func run() async throws {
            try await Probe.exiting { try await FlowFollower(self).run() }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one flow; exit code 9 if it is not tracked.",
            usage: "probe conntrack get [<options>] <protocol> <source> <destination>",
            discussion: """
                EXAMPLE
                  probe conntrack get udp 192.0.2.1:49152 192.0.2.2:862

                Identify the flow by a packet in either direction, before or after translation.
                """)

        @OptionGroup var place: Place
        @OptionGroup var named: Named
        @OptionGroup var style: Style

        @Flag(name: .shortAndLong, help: "Print nothing; the exit code is the result.")
        var quiet = false

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).get(named, quiet ? nil : style) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete one flow, and show it; exit code 9 if it is not tracked.",
            usage: "probe conntrack delete [<options>] <protocol> <source> <destination>",
            discussion: """
                EXAMPLE
                  probe conntrack delete udp 192.0.2.1:49152 192.0.2.2:862

                Identify the flow by a packet in either direction, before or after translation.
                Its next packet begins a new flow.
                """)

        @OptionGroup var place: Place
        @OptionGroup var named: Named
        @OptionGroup var style: Style

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).delete(named, style) }
        }
    }

    struct Count: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the number of tracked flows, and its limit.",
            discussion: """
                EXAMPLE
                  probe conntrack count

                This needs no privilege in the current namespace.
                """)

        @OptionGroup var place: Place

        @Option(help: "text, json or csv.")
        var output = FlowWriter.Format.text

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).count(output) }
        }
    }
}
