import ArgumentParser
import NetworkAddresses
import STAMPWire

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send probes to a peer, answer the peer's, and report one-way delays.",
        discussion: """
            EXAMPLE
              probe run -i eth0 --peer 192.0.2.2 --rate 100 --duration 10s --log a.csv

            Run it on both hosts at once, each naming the other; or `probe reflect` on
            one of them. The first Ctrl-C ends the measurement and prints the summary, a
            second one ends at once.

            \(ProbeError.exitCodes)
            """)

    @OptionGroup var common: CommonOptions

    @Option(name: .shortAndLong, help: "The peer's IPv4 or IPv6 address; with --transport l2 its MAC address.")
    var peer: Peer

    @Option(help: ArgumentHelp("Time between probes, such as 10ms. [default: 1s]", valueName: "time"))
    var interval: TimeSpan?

    @Option(help: ArgumentHelp("Probes a second, instead of --interval.", valueName: "n"))
    var rate: Double?

    @Option(name: .shortAndLong, help: ArgumentHelp("Probes to send; without it until stopped.", valueName: "n"))
    var count: UInt64?

    @Option(name: .shortAndLong, help: ArgumentHelp("How long to send, instead of --count.", valueName: "time"))
    var duration: TimeSpan?

    @Option(help: ArgumentHelp("Bytes of UDP payload. [default: what the telemetry needs]", valueName: "bytes"))
    var size: Int?

    @Option(help: ArgumentHelp("DSCP of the probes, and asked for on the replies.", valueName: "0-63"))
    var dscp: UInt8 = 0

    @Option(help: ArgumentHelp("TTL or hop limit of the probes.", valueName: "1-255"))
    var ttl: UInt8 = 255

    @Option(help: ArgumentHelp("With --transport l2: priority (PCP) in the tag. [default: 0]", valueName: "0-7"))
    var priority: UInt8?

    @Option(help: ArgumentHelp("When a probe without a reply counts as lost.", valueName: "time"))
    var timeout = TimeSpan(nanoseconds: 2_000_000_000)

    @Option(help: ArgumentHelp("Write the delays' histograms to this new CSV file.", valueName: "file"))
    var histogram: String?

    @Flag(help: "Log the peer's session, which this host answers, too.")
    var logReflected = false

    @Option(
        help: ArgumentHelp(
            "Compare with the kernel's samples of this psample group; scripts/psample-setup makes it.",
            valueName: "group"))
    var psample: UInt32?

    @Option(help: ArgumentHelp("Source address, instead of the route's.", valueName: "address"))
    var source: IPAddress?

    @Option(help: ArgumentHelp("Next hop, instead of the route's.", valueName: "address"))
    var nextHop: IPAddress?

    @Option(help: ArgumentHelp("The next hop's MAC address, instead of the neighbour table's.", valueName: "address"))
    var mac: MACAddress?

    func validate() throws {
        if interval != nil, rate != nil { throw ValidationError("Give --interval or --rate, not both.") }
        if count != nil, duration != nil { throw ValidationError("Give --count or --duration, not both.") }
        // Below, the time between probes would leave the range of its type.
        if let rate, !(rate >= 0.001 && rate <= 10_000_000) {
            throw ValidationError("--rate must be 0.001 to 10,000,000 a second.")
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
        if common.transport == .l2 { try validateWithoutIP() } else { try validateWithIP() }
    }

    private func validateWithIP() throws {
        guard case .ip(let peer) = peer else {
            throw ValidationError("--peer must be an IP address; a MAC address needs --transport l2.")
        }
        if priority != nil { throw ValidationError("--priority needs --transport l2.") }
        if let source, source.isIPv4 != peer.isIPv4 {
            throw ValidationError("--source and --peer must be of one address family.")
        }
        if let nextHop, nextHop.isIPv4 != peer.isIPv4 {
            throw ValidationError("--next-hop and --peer must be of one address family.")
        }
    }

    private func validateWithoutIP() throws {
        guard case .station(let peer) = peer else {
            throw ValidationError("--peer must be a MAC address with --transport l2: `ip link` on the peer shows it.")
        }
        if peer.isMulticast || peer == .zero { throw ValidationError("--peer must be one station's address.") }
        if let priority, priority > 7 { throw ValidationError("--priority must be 0 to 7.") }
        let others = [
            ("--dscp", dscp != 0), ("--ttl", ttl != 255), ("--source", source != nil), ("--next-hop", nextHop != nil),
            ("--mac", mac != nil),
        ]
        if let (name, _) = others.first(where: { $0.1 }) {
            throw ValidationError("\(name) has no meaning with --transport l2, which sends no IP packets.")
        }
    }

    /// The tag of the probes: one without a VLAN has the priority alone.
    var tag: VLANTag? {
        guard common.vlan != nil || priority != nil else { return nil }
        return VLANTag(priority: priority ?? 0, dropEligible: false, identifier: common.vlan ?? 0)
    }

    /// Nanoseconds between probes.
    var intervalNanoseconds: Int64 {
        if let rate { return max(100, Int64((1e9 / rate).rounded())) }
        return interval?.nanoseconds ?? 1_000_000_000
    }

    /// Probes to send.
    var probes: UInt64? {
        if let count { return count }
        return duration.map { max(1, UInt64($0.nanoseconds / intervalNanoseconds)) }
    }

    func run() async throws {
        try await Probe.exiting { try await PairedRun(self).run() }
    }
}
