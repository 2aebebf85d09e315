import Conntrack
import LinuxKernel
import Logging
import Netlink
import Report

/// Hears the kernel's events about a run's flows, and keeps what they change.
struct FlowListener: ~Copyable {
    private let scope: FlowWatch.Scope
    private let logger: Logger
    private let events: ConntrackEvents
    private var flows: SessionFlows
    private var history = FlowHistory()

    /// Flows of a table that is read at the start; a bigger one would hold the measurement up.
    private static let readable = 100_000
    /// Nanoseconds: between two looks at whether to stop and two at the own addresses, and for what is left at the end.
    private static let pause: Int64 = 100_000_000
    private static let checkInterval: Int64 = 1_000_000_000
    private static let timeout: Int64 = 500_000_000

    /// Listens from here on, and reads what was there before.
    ///
    /// - Throws: `SystemError` if it can't listen.
    init(_ scope: FlowWatch.Scope, _ logger: Logger) throws(SystemError) {
        self.scope = scope
        self.logger = logger
        events = try Self.listen(scope.port)
        flows = SessionFlows(port: scope.port, localPort: scope.localPort, addresses: scope.addresses())
        readTable()
    }

    private static func listen(_ port: UInt16) throws(SystemError) -> ConntrackEvents {
        var options = ConntrackEvents.Options()
        options.udpPort = port
        options.allNamespaces = true
        do throws(SystemError) {
            return try ConntrackEvents(options)
        } catch  where error.code == ErrorCode.notPermitted {
            options.allNamespaces = false
            return try ConntrackEvents(options)
        }
    }

    /// Flows that were there before: no event tells of them.
    private mutating func readTable() {
        do {
            let table = try ConntrackTable()
            guard try table.size().flows <= Self.readable else {
                history.notes.append(
                    "The table is too long to be read: of flows that it held before the run nothing is known.")
                return
            }
            let now = ClockID.realtime.now()
            try table.dump { flow in add(flows.take(.found, flow, at: now)) }
        } catch {
            history.notes.append("The table could not be read: \(error)")
        }
    }

    /// Listens until it is stopped, and what has come by then is heard.
    mutating func run(until stop: StopSignal) -> FlowHistory {
        var nextCheck = ClockID.monotonic.now() + Self.checkInterval
        while !stop.isRaised, hear(until: ClockID.monotonic.now() + Self.pause) != nil {
            guard ClockID.monotonic.now() >= nextCheck else { continue }
            nextCheck = ClockID.monotonic.now() + Self.checkInterval
            flows.addresses = scope.addresses()
        }
        // However much comes meanwhile.
        let end = ClockID.monotonic.now() + Self.timeout
        while ClockID.monotonic.now() < end, let heard = hear(until: 0), heard > 0 {}
        sumUp()
        return history
    }

    /// - Returns: how many events were heard; nil where no more can come.
    private mutating func hear(until deadline: Int64) -> Int? {
        guard history.isKnown else { return nil }
        do throws(NetlinkError) {
            return try events.next(until: deadline) { event in
                let kind: FlowChange.Kind =
                    switch event.kind {
                    case .new: .new
                    case .update: .changed
                    case .destroy: .gone
                    }
                add(flows.take(kind, event.flow, at: ClockID.realtime.now()))
            }
        } catch {
            history.isKnown = false
            history.notes.append("No longer watched: \(error)")
            return nil
        }
    }

    private mutating func add(_ change: FlowChange?) {
        guard let change else { return }
        history.add(change)
        if let text = change.retranslation { logger.warning("\(text). A step in the delay then has this reason.") }
    }

    private mutating func sumUp() {
        // What can't be counted any more is no reason to say nothing.
        try? events.finish()
        let lost = events.account.lost + events.account.malformed + events.account.unread
        if lost > 0 { history.notes.append("\(lost) events were lost: what is said here may be out of date.") }
        if flows.leftOut > 0 {
            history.notes.append("\(flows.leftOut) events were of flows beyond \(FlowHistory.limit) at a time.")
        }
        if scope.sendsRaw, history.flows.contains(where: { $0.namespace == nil && !$0.isReplied }) {
            history.notes.append(Self.bypass)
        }
    }

    private static let bypass =
        "Raw frames that this host sends go past its own tracking: a flow here begins with what comes in, and stays unreplied."
}
