import Glibc
import LinuxKernel

/// FastAFPacket used as an application uses it, for the benchmarks: the same commands, options and results as the C
/// program Benchmarks/floor/packets.c, which makes the same system calls.
@main
enum Main {
    static func main() {
        do throws(SystemError) {
            let arguments = CommandLine.arguments.dropFirst()
            guard let command = arguments.first, let options = Options(arguments.dropFirst()) else {
                end(64, usage)
            }
            switch command {
            case "ring": try readRing(options)
            case "receive": try receive(options)
            case "latency": try measureLatency(options)
            case "transmit": try transmit(options)
            default: end(64, usage)
            }
        } catch {
            end(1, "packets: \(error)")
        }
    }

    private static let usage = """
        usage: packets ring|receive|latency|transmit INTERFACE [--peer MAC] [--spin] [--packets N] [--warm-up N]
                       [--frame-bytes N]
        """

    private static func end(_ code: Int32, _ text: String) -> Never {
        // If this write fails, the exit code still reports the error.
        try? OutputFile.standardError().write(Array("\(text)\n".utf8))
        exit(code)
    }
}
