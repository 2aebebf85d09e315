import Conntrack
import LinuxKernel

/// Flows on standard output: lines are gathered, and written whole.
struct FlowOutput: ~Copyable {
    private let file: OutputFile
    private var writer: FlowWriter
    /// Where the reader may not hold a signal up.
    private let stop: StopSignal?
    /// The reader has gone, or cannot be written to: nothing more is written.
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

    /// Writes what has been gathered. A reader that does not read is waited for, until a signal comes.
    mutating func flush() {
        do throws(SystemError) {
            guard let stop else { return try writer.write(to: file) }
            while !isClosed, try !writer.write(to: file, timeout: 100_000_000) {
                // Ten times as long, once more.
                if stop.isRaised, try !writer.write(to: file, timeout: 1_000_000_000) { isClosed = true }
            }
        } catch {
            isClosed = true
            if error.code != ErrorCode.brokenPipe { failure = error }
        }
    }

    /// Writes the rest, and tells if anything could not be written. A reader that has gone has seen enough.
    mutating func finish() throws(ProbeError) {
        flush()
        if let failure { throw .file("standard output: \(failure)") }
    }
}
