import FastAFPacket
import LinuxKernel
import Logging
import Report

/// The output files of a run, and the parts of the summary that come from packet threads.
enum RunOutputs {
    static let version = "0.1.0"

    /// Rejects one path for two outputs: the later would overwrite the earlier.
    static func refuseSame(_ paths: [String?]) throws(ProbeError) {
        var seen: Set<String> = []
        for case let path? in paths where !seen.insert(simplified(path)).inserted {
            throw .usage(
                "\(path) would be written twice. Use different files for the log, the description (the log's name with "
                    + ".json) and the histogram."
            )
        }
    }

    /// A path without `.` and `..`, by its text alone.
    private static func simplified(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// Rejects existing files before any is created, so that a corrected command does not find files of the failed one.
    static func refuseExisting(_ paths: [String?], _ common: CommonOptions) throws(ProbeError) {
        guard !common.force else { return }
        for case let path? in paths where OutputFile.exists(path) {
            throw FileError.error(path, SystemError("create the file", code: ErrorCode.exists))
        }
    }

    static func descriptionPath(besideLog path: String) -> String { path + ".json" }

    /// Creates the histogram's file before the run, so that an error is not found only afterwards.
    static func reserve(_ path: String, replacing: Bool) throws(ProbeError) {
        try FileError.wrap(path) { () throws(SystemError) in
            _ = try OutputFile(creating: path, replacing: replacing)
        }
    }

    /// Writes the histograms of all sessions into the file that was reserved.
    static func writeHistogram(
        _ path: String, _ sessions: [(session: UInt64, statistics: SessionStatistics)], _ samples: SampleComparison?
    ) throws(ProbeError) {
        var export = HistogramExport()
        for (session, statistics) in sessions { export.add(session: session, statistics) }
        if let samples, let first = sessions.first { export.add(session: first.session, samples) }
        let bytes = export.csv()
        try FileError.wrap(path) { () throws(SystemError) in
            try OutputFile(creating: path, replacing: true).write(bytes)
        }
    }

    /// Creates the log and its description; returns nil if no log is requested.
    static func openLog(_ common: CommonOptions, _ description: RunDescription) throws(ProbeError) -> LogFile? {
        guard let path = common.log else { return nil }
        let log = try LogFile(creating: path, replacing: common.force)
        try write(description, besideLog: path, replacing: common.force)
        return log
    }

    /// Reports the requested socket features that are missing, each once.
    static func warn(of sockets: [EndpointSocket], _ logger: Logger) {
        var reported: Set<String> = []
        for conn in sockets.map(\.conn) {
            var notices = conn.warnings.map(\.description)
            if case .refused(let error) = conn.hardwareStamping {
                notices.append("Hardware timestamps are not available: \(error)")
            }
            for notice in notices where reported.insert(notice).inserted { logger.notice("\(notice)") }
        }
    }

    /// The time that the reader of standard output may stall at the end of a run, in nanoseconds.
    static let outputTimeoutNanoseconds: Int64 = 5_000_000_000

    /// Writes a command's result to standard output.
    static func print(_ text: String) throws(ProbeError) {
        let bytes = Array(text.utf8)
        let written: Int
        do throws(SystemError) {
            written = try OutputFile.standardOutput().write(bytes, timeout: outputTimeoutNanoseconds)
        } catch  where error.code == ErrorCode.brokenPipe {
            // The reader has closed the pipe on purpose.
            return
        } catch {
            throw .file("standard output: \(error)")
        }
        if written < bytes.count {
            throw .file("standard output: its reader stalled for 5 s, so the summary is cut off.")
        }
    }

    /// The description with the facts that every run has.
    static func description(
        interface: Interface, _ nic: NIC, session: UInt64, options: [(String, JSONValue)]
    ) -> RunDescription {
        var description = RunDescription()
        description.set(version: version)
        description.set(host: Host.name)
        description.set(kernel: Host.kernelRelease)
        description.set(interface: interface.name)
        description.set(session: session)
        description.set(started: ClockID.realtime.now())
        description.set(options: options.map { (name: $0.0, value: $0.1) })
        let quality = ClockQuality.current()
        description.set(
            clockSynchronized: quality?.isSynchronized ?? false, maxError: quality?.maximumError,
            estimatedError: quality?.estimatedError)
        if let facts = nic.facts { description.set("hardware_clock", facts) }
        return description
    }

    /// Writes the description to the log's name with `.json`.
    static func write(
        _ description: RunDescription, besideLog path: String, replacing: Bool
    ) throws(ProbeError) {
        let name = descriptionPath(besideLog: path)
        let bytes = Array(description.json().utf8)
        try FileError.wrap(name) { () throws(SystemError) in
            try OutputFile(creating: name, replacing: replacing).write(bytes)
        }
    }
}
