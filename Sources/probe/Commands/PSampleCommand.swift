import ArgumentParser
import STAMPWire

struct PSampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "psample",
        abstract: "Show the packets that this host's kernel samples.",
        usage: "probe psample [<options>]",
        discussion: """
            EXAMPLE
              modprobe -a psample act_sample
              tc qdisc add dev eth0 clsact
              tc filter add dev eth0 ingress matchall action sample rate 10 group 5
              probe psample --group 5 --duration 10s --pcapng samples.pcapng

            Each sample is a line: its time, group, sequence number, rate, interface and
            sizes; latency, traffic class and queue occupancy if a driver reports them;
            and the STAMP packet, if it is one. Missing sequence numbers are lost samples.
            Ctrl-C ends it with a summary: samples, losses, distributions, and the sampled
            share of each STAMP session.

            It receives the samples of the network namespace it runs in, and needs
            CAP_NET_ADMIN; --list needs no privilege.

            \(ProbeError.exitCodes)
            """)

    @Option(help: ArgumentHelp("Only this group; can be given several times.", valueName: "n"))
    var group: [UInt32] = []

    @Flag(help: "List the groups and exit.")
    var list = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Number of samples. (default: unlimited)", valueName: "n"))
    var count: UInt64?

    @Option(name: .shortAndLong, help: ArgumentHelp("Time to listen for, such as 10s.", valueName: "time"))
    var duration: TimeSpan?

    @Option(help: ArgumentHelp("Write the samples to this new pcapng file.", valueName: "file"))
    var pcapng: String?

    @Option(help: "UDP port of the STAMP reflectors.")
    var port: UInt16 = STAMP.port

    @Flag(help: "Overwrite existing files.")
    var force = false

    @Option(help: "text, or json (one object per line).")
    var output = Console.Format.text

    @Flag(name: .shortAndLong, help: "Print no line per sample.")
    var quiet = false

    func validate() throws {
        if count == 0 { throw ValidationError("--count must be at least 1.") }
        if let duration, duration.nanoseconds == 0 { throw ValidationError("--duration must be above 0.") }
        if port == 0 { throw ValidationError("--port must be 1 to 65535; the standard port is 862.") }
        if list, count != nil || duration != nil || pcapng != nil {
            throw ValidationError("--list cannot be combined with --count, --duration or --pcapng.")
        }
    }

    /// The groups to receive; `nil` for all.
    var groups: Set<UInt32>? { group.isEmpty ? nil : Set(group) }

    func run() async throws {
        try await Probe.exiting { try await SampleRun(self).run() }
    }
}
