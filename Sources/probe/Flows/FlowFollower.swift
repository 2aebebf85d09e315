import Conntrack
import LinuxKernel
import Logging
import Netlink
import Report

/// `probe conntrack follow`: shows events until stopped, and counts those that were not shown.
struct FlowFollower: Sendable {
    private let options: ConntrackCommand.Follow

    init(_ options: ConntrackCommand.Follow) { self.options = options }

    func run() async throws {
        OutputFile.ignoreBrokenPipes()
        try await Stopper.run { stopper in
            let stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
            stopper.attach { _ in stop.raise() }
            let result: Result<Void, ProbeError> = try await PacketThread.run(named: "probe-conntrack") {
                do throws(ProbeError) { return .success(try follow(stop)) } catch { return .failure(error) }
            }
            try result.get()
        }
    }

    private func follow(_ stop: StopSignal) throws(ProbeError) {
        let events = try listen()
        var output = try FlowOutput(options.style, stop: stop)
        let selection = options.filters.selection
        var left = options.count ?? .max
        var shown: UInt64 = 0
        let end = options.duration.map { ClockID.monotonic.now() + $0.nanoseconds } ?? .max
        while !stop.isRaised, left > 0, !output.isClosed {
            let now = ClockID.monotonic.now()
            guard now < end else { break }
            let wasSampling = events.fraction < 1
            _ = try ProbeError.conntrack { () throws(NetlinkError) in
                // The stop signal is checked ten times a second.
                try events.next(until: min(now + 100_000_000, end)) { event in
                    guard left > 0, selection.contains(event.flow) else { return }
                    output.append(event.flow, event: event.kind)
                    left -= 1
                    shown += 1
                }
            }
            output.flush()
            if (events.fraction < 1) != wasSampling { report(events) }
        }
        try ProbeError.conntrack { () throws(NetlinkError) in try events.finish() }
        try output.finish()
        try summarize(events.account, shown, isReaderGone: output.isClosed)
    }

    private func listen() throws(ProbeError) -> ConntrackEvents {
        var listening = ConntrackEvents.Options()
        listening.allNamespaces = options.allNamespaces
        listening.limit = options.limit == 0 ? nil : Double(options.limit)
        do throws(SystemError) {
            return try ConntrackEvents(namespace: options.place.namespace, listening)
        } catch {
            let isLocal = options.place.namespace == nil && !options.allNamespaces
            throw error.code == ErrorCode.notPermitted && isLocal ? .flowPrivilege : .system(error)
        }
    }

    // MARK: - Events not shown

    private func report(_ events: ConntrackEvents) {
        let rate = Int(events.rate ?? 0)
        if events.fraction < 1 {
            Probe.logger().warning(
                "\(rate) events per second exceed --limit: showing a random sample and counting the rest until the rate falls."
            )
        } else {
            Probe.logger().info("\(rate) events per second: showing all events again.")
        }
    }

    private func summarize(_ account: EventAccount, _ shown: UInt64, isReaderGone: Bool) throws(ProbeError) {
        guard options.style.output == .json, !isReaderGone else {
            Probe.logger().info("\(account.summary(shown: shown))")
            return
        }
        try RunOutputs.print(account.json(shown: shown))
    }
}

extension EventAccount {
    /// The summary as one line of text.
    func summary(shown: UInt64) -> String {
        var parts = ["\(received) received"]
        if lost > 0 || overruns > 0 {
            parts.append("\(lost) lost to a full buffer (\(overruns) overrun\(overruns == 1 ? "" : "s"))")
        }
        if trips > 0 {
            parts.append(
                "\(isLeftOutExact ? "" : "about ")\(leftOut) dropped by sampling in \(trips) storm\(trips == 1 ? "" : "s")"
            )
        }
        if unread > 0 { parts.append("\(unread) unread at the end") }
        if malformed > 0 { parts.append("\(malformed) malformed") }
        return "\(total) events: \(parts.joined(separator: ", ")); \(shown) shown."
    }

    /// The summary as a line of JSON, the last of the output.
    func json(shown: UInt64) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        writer.value("summary")
        for (name, value) in [
            ("events", total), ("shown", shown), ("received", received), ("lost", lost), ("overruns", overruns),
            ("left_out", leftOut), ("storms", trips), ("unread", unread), ("malformed", malformed),
        ] {
            writer.key(name)
            writer.value(value)
        }
        writer.key("left_out_is_estimate")
        writer.value(!isLeftOutExact)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
