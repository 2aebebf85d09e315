import LinuxKernel
import Logging
import Netlink
import PSample
import Report
import STAMPWire

/// Receives samples until it is stopped, and writes lines, a capture file and statistics. It runs on a separate thread,
/// on which it also opens its socket and files.
struct SampleListener: ~Copyable {
    struct Result: Sendable {
        var statistics = SampleStatistics()
        var duration: Int64 = 0
        var linesDropped: UInt64 = 0
        var captureFailure: SystemError?
        var failure: NetlinkError?
    }

    private let options: PSampleCommand
    private let stop: StopSignal
    private let logger: Logger
    private let subscription: SampleSubscription
    private var console: Console
    private var capture: CaptureFile?
    private var interfaces = InterfaceNames()
    private var result = Result()
    private var lastOverrunNotice: Int64?
    private var unreportedLosses: UInt32 = 0

    /// The time between two checks of the stop signal, and the longest time that a line is buffered, in nanoseconds.
    private static let pollInterval: Int64 = 100_000_000

    init(_ options: PSampleCommand, stop: StopSignal, logger: Logger) throws(ProbeError) {
        let subscription = try ProbeError.netlink { () throws(NetlinkError) in
            try SampleSubscription(groups: options.groups)
        }
        try self.init(options, subscription, stop: stop, logger: logger)
    }

    init(
        _ options: PSampleCommand, _ subscription: SampleSubscription, stop: StopSignal, logger: Logger
    ) throws(ProbeError) {
        let console = try ProbeError.system { () throws(SystemError) in
            try Console(format: options.output, isQuiet: options.quiet)
        }
        var capture: CaptureFile?
        if let path = options.pcapng { capture = try CaptureFile(creating: path, replacing: options.force) }
        self.options = options
        self.stop = stop
        self.logger = logger
        self.subscription = subscription
        self.console = console
        self.capture = capture
    }

    mutating func run() -> Result {
        let start = ClockID.monotonic.now()
        let end = options.duration.map { start + $0.nanoseconds } ?? .max
        while !stop.isRaised, remaining > 0 {
            let now = ClockID.monotonic.now()
            guard now < end else { break }
            do throws(NetlinkError) {
                _ = try subscription.receive(until: min(end, now + Self.pollInterval), atMost: remaining) {
                    received, missed in
                    handle(received, missed)
                } event: { event in
                    handle(event)
                }
            } catch {
                result.failure = error
                break
            }
            console.flush()
            write { capture throws(SystemError) in try capture.flush(ifDueAt: now) }
        }
        write { capture throws(SystemError) in try capture.flush(0) }
        result.duration = ClockID.monotonic.now() &- start
        unreportedLosses &+= subscription.updateDropped()
        reportOverrun()
        console.flush(timeout: RunOutputs.outputTimeoutNanoseconds)
        result.linesDropped = console.linesDropped
        result.statistics.dropped = subscription.dropped
        result.statistics.groups = subscription.sequences.sorted { $0.key < $1.key }.map { number, sequence in
            SampleStatistics.Group(
                number: number, lost: sequence.lost, reordered: sequence.reordered, repeated: sequence.repeated,
                restarts: sequence.restarts)
        }
        return result
    }

    /// The number of samples until `--count` is reached.
    private var remaining: Int {
        options.count.map { Int(clamping: $0 - min($0, result.statistics.samples)) } ?? .max
    }

    private mutating func handle(_ received: borrowing ReceivedSample, _ missed: UInt32) {
        var record = SampleRecord(received.sample, missed: missed, received: ClockID.realtime.now())
        record.input = received.sample.inputInterface.map { interfaces.name($0) }
        record.output = received.sample.outputInterface.map { interfaces.name($0) }
        record.cookie = received.userCookie
        let isEthernet = interfaces.isEthernet(received.sample.inputInterface ?? received.sample.outputInterface)
        received.withData { data in
            record.capturedSize = data.byteCount
            record.stamp = STAMPFrame(
                decoding: data, wholeLength: received.sample.originalSize.map { Int($0) }, port: options.port
            ).map { SampleRecord.STAMPPacket($0, near: record.received) }
            write { capture throws(SystemError) in try capture.append(record, data, isEthernet: isEthernet) }
        }
        result.statistics.add(record)
        guard console.showsPackets else { return }
        console.append(line: console.format == .json ? record.json() : record.text())
    }

    private mutating func handle(_ event: SampleEvent) {
        switch event {
        case .groupAdded(let group): report("group_added", group.number, "Sample group \(name(group)) was created.")
        case .groupRemoved(let group):
            report("group_removed", group.number, "Sample group \(name(group)) was removed with its last sampler.")
        case .overrun(let lost):
            // A full buffer often stays full: at most one notice a second reports the losses.
            unreportedLosses &+= lost
            let now = ClockID.monotonic.now()
            if let lastOverrunNotice, now &- lastOverrunNotice < 1_000_000_000 { return }
            lastOverrunNotice = now
            reportOverrun()
        case .malformed(let reason):
            result.statistics.malformed += 1
            if result.statistics.malformed == 1 {
                logger.warning("A message from the kernel is malformed: \(reason). The summary counts such messages.")
            }
        }
    }

    private mutating func reportOverrun() {
        guard unreportedLosses > 0 else { return }
        report("overrun", unreportedLosses, "\(unreportedLosses) notifications were lost to a full receive buffer.")
        unreportedLosses = 0
    }

    private func name(_ group: SampleGroup) -> String { group.number.map { "\($0)" } ?? "?" }

    private mutating func report(_ event: String, _ number: UInt32?, _ text: String) {
        logger.notice("\(text)")
        guard console.format == .json else { return }
        let value: JSONValue = number.map { .integer(Int64($0)) } ?? .null
        let members: [(key: String, value: JSONValue)] = [
            ("type", .string("event")), ("event", .string(event)), (event == "overrun" ? "lost" : "group", value),
        ]
        console.append(line: JSONValue.object(members).compact + "\n")
    }

    /// Writes to the capture file. After the first failure the capture ends, while sampling continues.
    private mutating func write(_ body: (inout CaptureFile) throws(SystemError) -> Void) {
        guard var file = capture.take() else { return }
        do throws(SystemError) {
            try body(&file)
            capture = consume file
        } catch {
            result.captureFailure = error
            logger.warning("The capture file ends here, since it cannot be written: \(error)")
        }
    }
}
