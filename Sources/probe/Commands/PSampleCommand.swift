import ArgumentParser
import STAMPWire

struct PSampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "psample",
        abstract: "Show the packets that this host's kernel samples, with what it says of them.",
        discussion: """
            EXAMPLE
              modprobe -a psample act_sample
              tc qdisc add dev eth0 clsact
              tc filter add dev eth0 ingress matchall action sample rate 10 group 5
              probe psample --group 5 --duration 10s --pcapng samples.pcapng

            A line for each sample: when the kernel took it, group and number, rate,
            interface, sizes, and where a driver tells them latency, traffic class and its
            occupancy. STAMP packets among them are named. Missing numbers are lost
            samples. Ctrl-C ends it with a summary: samples, losses, distributions, and
            the share of each STAMP session's packets that was sampled.

            It hears the samples of the network namespace that it runs in, and needs
            CAP_NET_ADMIN; --list needs nothing.

            \(ProbeError.exitCodes)
            """)

    @Option(help: ArgumentHelp("Only this group; may be given several times.", valueName: "n"))
    var group: [UInt32] = []

    @Flag(help: "List the groups that there are, and end.")
    var list = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Samples to wait for; without it until stopped.", valueName: "n"))
    var count: UInt64?

    @Option(name: .shortAndLong, help: ArgumentHelp("How long to listen.", valueName: "time"))
    var duration: TimeSpan?

    @Option(help: ArgumentHelp("Write the samples to this new capture file.", valueName: "file"))
    var pcapng: String?

    @Option(help: "The port that STAMP reflectors listen on.")
    var port: UInt16 = STAMP.port

    @Flag(help: "Overwrite files that exist.")
    var force = false

    @Option(help: "text, or json: one object a line.")
    var output = Console.Format.text

    @Flag(name: .shortAndLong, help: "No line for each sample.")
    var quiet = false

    func validate() throws {
        if count == 0 { throw ValidationError("--count must be at least 1.") }
        if let duration, duration.nanoseconds == 0 { throw ValidationError("--duration must be above 0.") }
        if port == 0 { throw ValidationError("Port 0 is none: the standard one is 862.") }
        if list, count != nil || duration != nil || pcapng != nil {
            throw ValidationError("--list ends at once: it takes no --count, --duration or --pcapng.")
        }
    }

    /// The groups that are wanted; `nil` for all.
    var groups: Set<UInt32>? { group.isEmpty ? nil : Set(group) }

    func run() async throws {
        try await Probe.exiting { try await SampleRun(self).run() }
    }
}
