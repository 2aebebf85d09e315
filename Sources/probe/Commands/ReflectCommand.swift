import ArgumentParser
import NetworkAddresses

struct ReflectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reflect",
        abstract: "Answer STAMP probes without sending any.",
        usage: "probe reflect [<options>] --interface <interface>",
        discussion: """
            EXAMPLE
              probe reflect -i eth0 --allow 192.0.2.0/24

            Answers any STAMP session-sender (RFC 8762, RFC 8972), in up to 4096 sessions
            at a time. A session ends after 60 s without a probe. Ctrl-C ends the command
            with a summary.

            \(ProbeError.exitCodes)
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Answer only this network; can be given several times.", valueName: "network"))
    var allow: [IPNetwork] = []

    func validate() throws {
        if common.transport == .l2, !allow.isEmpty {
            throw ValidationError("--allow cannot be used with --transport l2, whose frames have no IP addresses.")
        }
    }

    func run() async throws {
        try await Probe.exiting { try await ReflectRun(self).run() }
    }
}
