import ArgumentParser
import NetworkAddresses

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show which timestamps are advertised and which arrive.",
        discussion: """
            EXAMPLE
              probe doctor eth0 --peer 192.0.2.2

            WHAT IT SENDS on each interface, within about a second
              8 frames of the local experimental ethertype 0x88B5, to the peer or, without
                one, to the interface's own address
              4 PTP Sync messages, domain 127, to 01-80-C2-00-00-0E, which bridges do not
                forward
              4 STAMP probes to UDP port 862 of the peer, if one is given
              1 frame 0x88B5 with a launch time, to the interface's own address
            If hardware timestamping is off, it is switched on for the trial, then off.
            A configuration that another process has set is not changed.

            Receive timestamps are proven by the frames that arrive within that second,
            such as the peer's replies. For PTP frames, run ptp4l or `probe doctor` on the
            other host.

            Each capability is proven, failed, not advertised, or not tried.

            \(ProbeError.exitCodes)
            """)

    @Argument(help: "Interfaces to examine. (default: all Ethernet interfaces that are up)")
    var interfaces: [String] = []

    @Option(name: .shortAndLong, help: "IPv4 or IPv6 address of a STAMP reflector, such as `probe reflect`.")
    var peer: IPAddress?

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func validate() throws {
        if peer != nil, interfaces.count != 1 {
            throw ValidationError("--peer needs exactly one interface: the one that leads to the peer.")
        }
    }

    func run() async throws {
        try await Probe.exiting { try await DoctorRun(self).run() }
    }
}
