import LinuxKernel
import Logging

/// Writes messages to standard error in the form "probe: warning: …".
struct PlainLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let mark = event.level >= .warning ? "\(event.level): " : ""
        let bytes = Array("probe: \(mark)\(event.message)\n".utf8)
        try? OutputFile.standardError().write(bytes)
    }
}
