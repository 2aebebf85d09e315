import ArgumentParser
import NetworkAddresses

struct ReflectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reflect",
        abstract: "Answer STAMP probes, and send none.",
        discussion: """
            EXAMPLE
              probe reflect -i eth0 --allow 192.0.2.0/24

            Answers any STAMP sender (RFC 8762, RFC 8972) in up to 4096 sessions at a
            time; a silent one is forgotten after 60 s. Ctrl-C ends it with a summary.

            \(ProbeError.exitCodes)
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Answer only this network; may be given several times.", valueName: "network"))
    var allow: [IPNetwork] = []

    func validate() throws {
        if common.transport == .l2, !allow.isEmpty {
            throw ValidationError("--allow has no meaning with --transport l2: there are no IP addresses.")
        }
    }

    func run() async throws {
        try await Probe.exiting { try await ReflectRun(self).run() }
    }
}
