import LinuxKernel
import Logging
import Report

/// Writes messages to standard error in the form "probe: warning: …", a line for each; a terminal gets lines of its width.
struct PlainLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let mark = event.level >= .warning ? "\(event.level): " : ""
        guard let output = try? OutputFile.standardError() else { return }
        let line = "probe: \(mark)\(event.message)"
        let lines = output.isTerminal ? wrapped(line, width: terminalWidth() ?? 80) : [line]
        try? output.write(Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}
