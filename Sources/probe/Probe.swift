import ArgumentParser
import Foundation
import Logging

@main
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Measures the one-way delay of packets, in both directions, packet by packet.",
        discussion: """
            EXAMPLE
              On host A:  probe run --interface eth0 --peer 192.0.2.2 --rate 100 --duration 10s
              On host B:  probe run --interface eth0 --peer 192.0.2.1 --rate 100 --duration 10s

            Needs CAP_NET_RAW, and CAP_NET_BIND_SERVICE for the standard port 862: run it as root, or
              setcap cap_net_raw,cap_net_bind_service+ep probe
            CAP_NET_ADMIN too switches the card's own stamps on and frees the size of the buffers.
            `--transport udp --port 8620` needs no privilege.

            \(ProbeError.exitCodes)
            """,
        version: RunOutputs.version,
        subcommands: [RunCommand.self, ReflectCommand.self])

    /// Where messages go: standard error, so that standard output stays data.
    static func logger() -> Logger {
        Logger(label: "probe") { _ in PlainLogHandler() }
    }

    /// Runs a command's body; an error becomes its message and its exit code.
    static func exiting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as ProbeError {
            logger().error("\(error)")
            throw ExitCode(error.exitCode)
        }
    }
}
