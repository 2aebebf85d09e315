import ArgumentParser
import LinuxKernel
import Logging

@main
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Measure the one-way delay of packets in both directions, packet by packet.",
        discussion: """
            EXAMPLE
              hostA# probe run -i eth0 --peer 192.0.2.2 --rate 100 --duration 10s
              hostB# probe run -i eth0 --peer 192.0.2.1 --rate 100 --duration 10s

            PRIVILEGES
              CAP_NET_RAW           packet sockets
              CAP_NET_BIND_SERVICE  ports below 1024, such as the standard 862
              CAP_NET_ADMIN         switching on hardware timestamping, large
                                    buffers, psample, conntrack
              none                  --transport udp --port 8620
            Run as root, or grant the capabilities once:
              setcap cap_net_raw,cap_net_bind_service,cap_net_admin+ep probe

            \(ProbeError.exitCodes)
            """,
        version: RunOutputs.version,
        subcommands: [
            RunCommand.self, ReflectCommand.self, DoctorCommand.self, PSampleCommand.self, ConntrackCommand.self,
        ])

    static func main() async {
        OutputFile.fillStandardStreams()
        await main(nil)
    }

    /// The logger of all messages. It writes to standard error, so that standard output carries only data.
    static func logger() -> Logger {
        Logger(label: "probe") { _ in PlainLogHandler() }
    }

    /// Runs a command's body. An error is logged as its message, and becomes its exit code.
    static func exiting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as ProbeError {
            logger().error("\(error)")
            throw ExitCode(error.exitCode)
        }
    }
}
