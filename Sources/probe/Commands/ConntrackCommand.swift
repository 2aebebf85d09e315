import ArgumentParser
import Conntrack
import NetworkAddresses

struct ConntrackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conntrack",
        abstract: "Show the flows that the kernel tracks, and how it translates them.",
        discussion: """
            EXAMPLE
              probe conntrack --translated
              probe conntrack follow --protocol udp --port 862
              probe conntrack get udp 192.0.2.1:49152 192.0.2.2:862 && echo tracked

            Flows are tracked in a network namespace as soon as a rule there needs it, such
            as one that translates addresses. All of this needs CAP_NET_ADMIN, but for
            `probe conntrack count` in the own namespace; --namespace needs CAP_SYS_ADMIN.

            \(ProbeError.exitCodes)
            """,
        subcommands: [List.self, Follow.self, Get.self, Delete.self, Count.self], defaultSubcommand: List.self)

    /// Where to look.
    struct Place: ParsableArguments {
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "The network namespace: a name of `ip netns`, or a path such as /proc/123/ns/net.", valueName: "name"))
        var namespace: String?
    }

    /// How to show flows.
    struct Style: ParsableArguments {
        @Option(help: "text (as conntrack(8) has it), json (one object a line) or csv; see docs/conntrack.md.")
        var output = FlowWriter.Format.text

        @Flag(help: "In text: the address family in front.")
        var family = false

        @Flag(help: "In text: the flow's id.")
        var id = false

        @Flag(help: "In text: when flows began and ended, and when events came.")
        var times = false

        var details: FlowWriter.Details {
            var details: FlowWriter.Details = []
            if family { details.insert(.family) }
            if id { details.insert(.id) }
            if times { details.insert(.times) }
            return details
        }
    }

    /// Which flows to show.
    struct Filters: ParsableArguments {
        @Option(
            name: .shortAndLong, help: ArgumentHelp("Flows that begin or end in this network.", valueName: "network"))
        var address: IPNetwork?

        @Option(name: .shortAndLong, help: "Flows with this port at either end.")
        var port: UInt16?

        @Option(help: ArgumentHelp("tcp, udp, icmp, icmpv6, sctp, … or a number.", valueName: "protocol"))
        var `protocol`: TransportProtocol?

        @Flag(help: "Flows of which an end is translated.")
        var translated = false

        var selection: FlowSelection {
            FlowSelection(network: address, port: port, transport: `protocol`, isTranslatedOnly: translated)
        }
    }

    /// One flow, by packets of either direction, before they are translated or after.
    struct Named: ParsableArguments {
        @Argument(help: ArgumentHelp("tcp, udp, icmp, icmpv6, sctp, … or a number.", valueName: "protocol"))
        var transport: TransportProtocol

        @Argument(help: "An address and a port: 192.0.2.1:4000 or [2001:db8::1]:4000. An address alone for ICMP.")
        var source: FlowEnd

        @Argument(help: "The other end.")
        var destination: FlowEnd

        @Option(help: ArgumentHelp("With icmp and icmpv6: type, code and identifier.", valueName: "type/code/id"))
        var icmp: ICMPQuery?

        @Option(help: "The conntrack zone.")
        var zone: UInt16 = 0

        func validate() throws {
            if source.address.isIPv4 != destination.address.isIPv4 {
                throw ValidationError("Both ends must be of one address family.")
            }
            if (source.port == nil) != (destination.port == nil) {
                throw ValidationError("Give a port at both ends, or at none.")
            }
            if transport.hasPorts, source.port == nil {
                throw ValidationError("\(transport) has ports: 192.0.2.1:4000 or [2001:db8::1]:4000.")
            }
            if transport == .gre, source.port == nil {
                throw ValidationError("gre has keys in the place of ports: 192.0.2.1:0.")
            }
            let isICMP = transport == .icmp || transport == .icmpv6
            if isICMP, icmp == nil { throw ValidationError("\(transport) needs --icmp, such as 8/0/4660 for a ping.") }
            if isICMP, source.port != nil { throw ValidationError("\(transport) has no ports.") }
            if !isICMP, icmp != nil { throw ValidationError("--icmp goes with icmp and icmpv6.") }
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
            abstract: "List the flows (what `probe conntrack` does by itself).",
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
            abstract: "Show flows as they come, change and go, until stopped.",
            discussion: """
                EXAMPLE
                  probe conntrack follow --protocol udp --port 862

                Ctrl-C ends it. At the end it tells, to standard error or as JSON's last line,
                how many events there were, and of those that are missing how many a full
                buffer lost and how many were left out: above --limit events a second only a
                random part of them is taken, until the storm is over.
                """)

        @OptionGroup var place: Place

        @Flag(help: "Other namespaces too: those that `ip netns list-id` shows. nsid= tells them apart.")
        var allNamespaces = false

        @Option(name: .shortAndLong, help: ArgumentHelp("Events to show; without it until stopped.", valueName: "n"))
        var count: UInt64?

        @Option(name: .shortAndLong, help: ArgumentHelp("How long to listen, such as 10s.", valueName: "time"))
        var duration: TimeSpan?

        @Option(help: ArgumentHelp("Events a second above which a sample is taken; 0: never.", valueName: "n"))
        var limit: UInt32 = 20_000

        @OptionGroup var filters: Filters
        @OptionGroup var style: Style

        func run() async throws {
            try await Probe.exiting { try await FlowFollower(self).run() }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one flow; exit code 9 tells that there is none.",
            discussion: """
                EXAMPLE
                  probe conntrack get udp 192.0.2.1:49152 192.0.2.2:862

                A flow is found by packets of either direction, before they are translated or
                after.
                """)

        @OptionGroup var place: Place
        @OptionGroup var named: Named
        @OptionGroup var style: Style

        @Flag(name: .shortAndLong, help: "Show no flow: the exit code tells.")
        var quiet = false

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).get(named, quiet ? nil : style) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take one flow out of the table and show it; its next packet begins another.",
            discussion: """
                EXAMPLE
                  probe conntrack delete udp 192.0.2.1:49152 192.0.2.2:862

                A flow is found by packets of either direction, before they are translated or
                after. Exit code 9 tells that there is none.
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
            abstract: "Tell how many flows there are, and may be.",
            discussion: """
                EXAMPLE
                  probe conntrack count

                In the own namespace this needs no privilege.
                """)

        @OptionGroup var place: Place

        @Option(help: "text, json or csv.")
        var output = FlowWriter.Format.text

        func run() async throws {
            try await Probe.exiting { try FlowQuery(place.namespace).count(output) }
        }
    }
}
