import LinuxKernel
import Logging
import Netlink
import PSample
import Report

/// `probe psample`: lists the groups, or receives samples on a separate thread and prints the summary.
struct SampleRun {
    private let options: PSampleCommand
    private let logger = Probe.logger()

    init(_ options: PSampleCommand) { self.options = options }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        if options.list { return try list() }
        try await Stopper.run { stopper in try await listen(stopper) }
    }

    private func list() throws(ProbeError) {
        let found = try ProbeError.netlink { () throws(NetlinkError) in try SampleSubscription.groups() }
            .filter { group in options.groups.map { group.number.map($0.contains) ?? false } ?? true }
            .sorted { ($0.number ?? 0) < ($1.number ?? 0) }
        if options.output == .json {
            try RunOutputs.print(found.map { JSONValue.object($0.members).compact + "\n" }.joined())
        } else if found.isEmpty {
            try RunOutputs.print(
                options.groups == nil
                    ? "No sample group exists in this network namespace.\n"
                    : "None of these sample groups exists in this network namespace.\n")
        } else {
            try RunOutputs.print(found.map { $0.text + "\n" }.joined())
        }
    }

    private func listen(_ stopper: Stopper) async throws {
        if let path = options.pcapng, !options.force, OutputFile.exists(path) {
            throw FileError.error(path, SystemError("create the file", code: ErrorCode.exists))
        }
        let stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        stopper.attach { _ in stop.raise() }
        let (options, logger, place) = (options, logger, place)
        let outcome = try await PacketThread.run(named: "probe-psample") {
            () -> Result<SampleListener.Result, ProbeError> in
            do throws(ProbeError) {
                var listener = try SampleListener(options, stop: stop, logger: logger)
                logger.notice("Listening to \(place). Press Ctrl-C to stop.")
                return .success(listener.run())
            } catch {
                return .failure(error)
            }
        }
        let result = try outcome.get()
        let summary = result.statistics
        try RunOutputs.print(
            options.output == .json ? summary.json(duration: result.duration) : summary.text(duration: result.duration))
        if result.linesDropped > 0 {
            logger.warning("\(result.linesDropped) lines were dropped: standard output was not read in time.")
        }
        if let error = result.captureFailure, let path = options.pcapng { throw FileError.error(path, error) }
        if let error = result.failure { throw ProbeError(error) }
    }

    private var place: String {
        guard let groups = options.groups else { return "all sample groups" }
        return "sample group\(groups.count == 1 ? "" : "s") " + groups.sorted().map(String.init).joined(separator: ", ")
    }
}

extension SampleGroup {
    fileprivate var text: String {
        let samplers = references.map { ", \($0) sampler\($0 == 1 ? "" : "s")" } ?? ""
        return "group \(number.map(String.init) ?? "?")\(samplers)\(sequence.map { ", next number \($0)" } ?? "")"
    }

    fileprivate var members: [(key: String, value: JSONValue)] {
        func value(_ number: UInt32?) -> JSONValue { number.map { .integer(Int64($0)) } ?? .null }
        return [
            ("type", .string("group")), ("group", value(number)), ("references", value(references)),
            ("sequence", value(sequence)),
        ]
    }
}
