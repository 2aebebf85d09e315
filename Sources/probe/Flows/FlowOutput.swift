import Conntrack
import LinuxKernel

/// Writes flows to standard output, in buffered whole lines.
struct FlowOutput: ~Copyable {
    private let file: OutputFile
    private var writer: FlowWriter
    /// The stop signal that a slow reader must not delay.
    private let stop: StopSignal?
    /// True once the reader is gone or writing has failed; nothing more is written.
    private(set) var isClosed = false
    private(set) var failure: SystemError?

    init(_ style: ConntrackCommand.Style, stop: StopSignal? = nil) throws(ProbeError) {
        file = try ProbeError.system { () throws(SystemError) in try OutputFile.standardOutput() }
        writer = FlowWriter(style.output, style.details)
        self.stop = stop
    }

    mutating func append(_ flow: borrowing Flow, event: FlowEvent.Kind? = nil) {
        if isClosed { return }
        if writer.isFull { flush() }
        writer.append(flow, event: event, at: ClockID.realtime.now())
    }

    /// Writes the buffered lines. It waits for a slow reader until the stop signal is raised.
    mutating func flush() {
        do throws(SystemError) {
            guard let stop else { return try writer.write(to: file) }
            while !isClosed, try !writer.write(to: file, timeout: 100_000_000) {
                // One last attempt, for ten times as long.
                if stop.isRaised, try !writer.write(to: file, timeout: 1_000_000_000) { isClosed = true }
            }
        } catch {
            isClosed = true
            if error.code != ErrorCode.brokenPipe { failure = error }
        }
    }

    /// Writes the remaining lines, and throws if anything could not be written. A reader that has closed the pipe is no
    /// error.
    mutating func finish() throws(ProbeError) {
        flush()
        if let failure { throw .file("standard output: \(failure)") }
    }
}
