import ArgumentParser
import NetworkAddresses
import STAMPWire

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send probes to a peer, answer its probes, and report one-way delays.",
        discussion: """
            EXAMPLE
              probe run -i eth0 --peer 192.0.2.2 --rate 100 --duration 10s --log a.csv

            Run it on both hosts at the same time, each with the other as --peer, or run
            `probe reflect` on one of them. The first Ctrl-C ends the measurement and
            prints the summary; a second one exits at once.

            With several peers each has a session, its rows in the log, a summary, and a
            line in the table after them. Hosts that answer need no more than
            `probe reflect`. Next to another instance that answers on the interface,
            `probe run` measures without answering.

            With several peers the exit code is that of the worst: no path to it (3, 4,
            64), then no reply (2), then replies that stopped (10). A failure of the
            interface or of a file comes first.

            \(ProbeError.exitCodes)
            """)

    @OptionGroup var common: CommonOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "IPv4 or IPv6 address of the peer; with --transport l2, its MAC address. Can be given several times.",
            valueName: "address"))
    var peer: [Peer] = []

    @Option(
        help: ArgumentHelp(
            "File of further peers: on each line an address and, if wanted, a name.", valueName: "file"))
    var peers: String?

    @Option(help: ArgumentHelp("Time between probes, such as 10ms. (default: 1s)", valueName: "time"))
    var interval: TimeSpan?

    @Option(help: ArgumentHelp("Probes per second to each peer, instead of --interval.", valueName: "n"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            "Times of the probes: periodic, poisson (random) or burst:N (N at once). The mean rate is the same.",
            valueName: "schedule"))
    var schedule = ScheduleOption.periodic

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Number of probes to each peer. (default: unlimited)", valueName: "n"))
    var count: UInt64?

    @Option(name: .shortAndLong, help: ArgumentHelp("Time to send for, instead of --count.", valueName: "time"))
    var duration: TimeSpan?

    @Option(help: ArgumentHelp("Bytes of UDP payload. (default: as many as the telemetry needs)", valueName: "bytes"))
    var size: Int?

    @Option(help: ArgumentHelp("DSCP for probes; also requested for replies.", valueName: "0-63"))
    var dscp: UInt8 = 0

    @Option(help: ArgumentHelp("TTL or hop limit of probes.", valueName: "1-255"))
    var ttl: UInt8 = 255

    @Option(help: ArgumentHelp("With --transport l2: priority (PCP) in the VLAN tag. (default: 0)", valueName: "0-7"))
    var priority: UInt8?

    @Option(help: ArgumentHelp("Time after which a probe without a reply is lost.", valueName: "time"))
    var timeout = TimeSpan(nanoseconds: 2_000_000_000)

    @Option(help: ArgumentHelp("Write the histograms of all delays to this new CSV file.", valueName: "file"))
    var histogram: String?

    @Flag(help: "Also log the peer's session.")
    var logReflected = false

    @Flag(help: "Do not answer the peers' probes, and leave the port free.")
    var noReflect = false

    @Option(
        help: ArgumentHelp(
            "UDP port to send from, so that all runs take the same path. (default: a free one from 49152)",
            valueName: "port"))
    var sourcePort: UInt16?

    @Option(
        help: ArgumentHelp(
            "Compare with the kernel's samples of this psample group (see scripts/psample-setup).",
            valueName: "group"))
    var psample: UInt32?

    @Option(help: ArgumentHelp("Source address. (default: from the route)", valueName: "address"))
    var source: IPAddress?

    @Option(help: ArgumentHelp("Next hop. (default: from the route)", valueName: "address"))
    var nextHop: IPAddress?

    @Option(
        help: ArgumentHelp("MAC address of the next hop. (default: from the neighbour table)", valueName: "address"))
    var mac: MACAddress?

    func validate() throws {
        if interval != nil, rate != nil { throw ValidationError("Give --interval or --rate, not both.") }
        if count != nil, duration != nil { throw ValidationError("Give --count or --duration, not both.") }
        // At lower rates, the interval would exceed the range of its type.
        if let rate, !(rate >= 0.001 && rate <= 10_000_000) {
            throw ValidationError("--rate must be 0.001 to 10,000,000 probes per second.")
        }
        if let interval, interval.nanoseconds < 100 { throw ValidationError("--interval must be at least 100ns.") }
        if let duration, duration.nanoseconds == 0 { throw ValidationError("--duration must be above 0.") }
        if count == 0 { throw ValidationError("--count must be at least 1.") }
        if dscp > 63 { throw ValidationError("--dscp must be 0 to 63.") }
        if ttl == 0 { throw ValidationError("--ttl must be 1 to 255.") }
        if timeout.nanoseconds < 1_000_000 || timeout.nanoseconds > 600_000_000_000 {
            throw ValidationError("--timeout must be 1ms to 10m.")
        }
        if logReflected, common.log == nil { throw ValidationError("--log-reflected needs --log.") }
        if logReflected, noReflect { throw ValidationError("Give --log-reflected or --no-reflect, not both.") }
        if peer.isEmpty, peers == nil { throw ValidationError("Give a --peer, or a file of --peers.") }
        if psample != nil, peer.count != 1 || peers != nil { throw ValidationError("--psample needs a single --peer.") }
        if let sourcePort, sourcePort == 0 || sourcePort == common.port {
            throw ValidationError("--source-port must be 1 to 65535, and not the reflectors' --port.")
        }
        for peer in peer { try validate(peer) }
        if common.transport == .l2 { try validateWithoutIP() } else { try validateWithIP() }
    }

    /// Checks a peer of the command line or of a file.
    func validate(_ peer: Peer) throws(ValidationError) {
        switch (peer, common.transport) {
        case (.ip, .l2):
            throw ValidationError(
                "With --transport l2, --peer must be a MAC address. Find it with `ip link` on the peer.")
        case (.station(let station), .l2):
            if station.isMulticast || station == .zero {
                throw ValidationError("--peer must be the MAC address of one station, not a group or zero address.")
            }
        case (.station, _):
            throw ValidationError("--peer must be an IP address. A MAC address needs --transport l2.")
        case (.ip(let address), _):
            if let source, source.isIPv4 != address.isIPv4 {
                throw ValidationError("--source and --peer must be of the same address family.")
            }
            if let nextHop, nextHop.isIPv4 != address.isIPv4 {
                throw ValidationError("--next-hop and --peer must be of the same address family.")
            }
        }
    }

    private func validateWithIP() throws {
        if priority != nil { throw ValidationError("--priority needs --transport l2.") }
    }

    private func validateWithoutIP() throws {
        if let priority, priority > 7 { throw ValidationError("--priority must be 0 to 7.") }
        let others = [
            ("--dscp", dscp != 0), ("--ttl", ttl != 255), ("--source", source != nil), ("--next-hop", nextHop != nil),
            ("--mac", mac != nil),
        ]
        if let (name, _) = others.first(where: { $0.1 }) {
            throw ValidationError("\(name) cannot be used with --transport l2, which sends no IP packets.")
        }
    }

    /// The VLAN tag of probes. With a priority but no VLAN it is a priority tag (VLAN 0).
    var tag: VLANTag? {
        guard common.vlan != nil || priority != nil else { return nil }
        return VLANTag(priority: priority ?? 0, dropEligible: false, identifier: common.vlan ?? 0)
    }

    /// The time between probes, in nanoseconds.
    var intervalNanoseconds: Int64 {
        if let rate { return max(100, Int64((1e9 / rate).rounded())) }
        return interval?.nanoseconds ?? 1_000_000_000
    }

    /// The number of probes; `nil` for unlimited.
    var probes: UInt64? {
        if let count { return count }
        return duration.map { max(1, UInt64($0.nanoseconds / intervalNanoseconds)) }
    }

    /// The parts of the path that the user sets instead of a lookup.
    var overrides: PeerPath.Overrides {
        PeerPath.Overrides(source: source, nextHop: nextHop, macAddress: mac)
    }

    func run() async throws {
        try await Probe.exiting { try await PairedRun(self).run() }
    }
}
