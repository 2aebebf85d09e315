import ArgumentParser
import NetworkAddresses

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Tell what timestamps this host's interfaces say they take, and which really come.",
        discussion: """
            EXAMPLE
              probe doctor eth0 --peer 192.0.2.2

            WHAT IT SENDS, in about a second on each interface
              8 frames of the local experimental ethertype 0x88B5, to the peer or else to
                the interface's own address
              4 PTP Sync messages, domain 127, to 01-80-C2-00-00-0E, which no bridge
                forwards
              4 STAMP probes to UDP port 862 of the peer, where one is given
              1 frame 0x88B5 with a launch time, to the interface's own address
            Hardware timestamps are switched on meanwhile where they are off, and switched off
            again; what others have set stays as it is.

            Receive timestamps are proven by what arrives: the peer's answers, or whatever else
            comes within the second. PTP frames come from ptp4l on the other host, or from
            `probe doctor` there.

            Each capability is one of: proven; did not come; not advertised; not tried.

            \(ProbeError.exitCodes)
            """)

    @Argument(help: "The interfaces to examine. [default: all Ethernet ones that are up]")
    var interfaces: [String] = []

    @Option(name: .shortAndLong, help: "A STAMP reflector's IPv4 or IPv6 address, such as of `probe reflect`.")
    var peer: IPAddress?

    @Flag(help: "One JSON object instead of text.")
    var json = false

    func validate() throws {
        if peer != nil, interfaces.count != 1 {
            throw ValidationError("--peer needs the one interface that leads to it.")
        }
    }

    func run() async throws {
        try await Probe.exiting { try await DoctorRun(self).run() }
    }
}
