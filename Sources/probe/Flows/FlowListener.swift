import Conntrack
import LinuxKernel
import Logging
import Netlink
import Report

/// Receives the kernel's events about a run's flows, and records the changes.
struct FlowListener: ~Copyable {
    private let scope: FlowWatch.Scope
    private let logger: Logger
    private let events: ConntrackEvents
    private var flows: SessionFlows
    private var history = FlowHistory()

    /// The largest table that is read at the start; reading a larger one would delay the measurement.
    private static let tableLimit = 100_000
    /// The time between two checks of the stop signal, in nanoseconds.
    private static let pollInterval: Int64 = 100_000_000
    /// The time between two readings of the local addresses, in nanoseconds.
    private static let addressInterval: Int64 = 1_000_000_000
    /// The longest time to read the remaining events at the end, in nanoseconds.
    private static let drainTimeout: Int64 = 500_000_000

    /// Subscribes to events, then reads the flows that exist already.
    ///
    /// - Throws: `SystemError` if it cannot subscribe.
    init(_ scope: FlowWatch.Scope, _ logger: Logger) throws(SystemError) {
        self.scope = scope
        self.logger = logger
        events = try Self.listen(scope.port)
        flows = SessionFlows(port: scope.port, localPorts: scope.localPorts, addresses: scope.addresses())
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

    /// Reads the flows that began before the subscription, which have no event.
    private mutating func readTable() {
        do {
            let table = try ConntrackTable()
            guard try table.size().flows <= Self.tableLimit else {
                history.notes.append(
                    "The conntrack table has more than \(Self.tableLimit) flows and was not read: flows from before the run are "
                        + "unknown.")
                return
            }
            let now = ClockID.realtime.now()
            try table.dump { flow in add(flows.update(.found, flow, at: now)) }
        } catch {
            history.notes.append("The conntrack table could not be read: \(error)")
        }
    }

    /// Receives events until it is stopped, and then those that are still in the buffer.
    mutating func run(until stop: StopSignal) -> FlowHistory {
        var nextCheck = ClockID.monotonic.now() + Self.addressInterval
        while !stop.isRaised, receive(until: ClockID.monotonic.now() + Self.pollInterval) != nil {
            guard ClockID.monotonic.now() >= nextCheck else { continue }
            nextCheck = ClockID.monotonic.now() + Self.addressInterval
            flows.addresses = scope.addresses()
        }
        // Bounded, even if new events keep arriving.
        let end = ClockID.monotonic.now() + Self.drainTimeout
        while ClockID.monotonic.now() < end, let count = receive(until: 0), count > 0 {}
        finish()
        return history
    }

    /// Receives events until a deadline, in CLOCK_MONOTONIC nanoseconds.
    ///
    /// - Returns: the number of events; nil if the subscription has failed.
    private mutating func receive(until deadline: Int64) -> Int? {
        guard history.isKnown else { return nil }
        do throws(NetlinkError) {
            return try events.next(until: deadline) { event in
                let kind: FlowChange.Kind =
                    switch event.kind {
                    case .new: .new
                    case .update: .changed
                    case .destroy: .gone
                    }
                add(flows.update(kind, event.flow, at: ClockID.realtime.now()))
            }
        } catch {
            history.isKnown = false
            history.notes.append("Watching flows failed during the run: \(error)")
            return nil
        }
    }

    private mutating func add(_ change: FlowChange?) {
        guard let change else { return }
        history.add(change)
        if let text = change.retranslation {
            logger.warning("\(text). \(FlowChange.retranslationEffect)")
        }
    }

    /// Adds the notes on lost events and on the limits of tracking.
    private mutating func finish() {
        // The history is useful even if the last counts cannot be read.
        try? events.finish()
        let lost = events.account.lost + events.account.malformed + events.account.unread
        if lost > 0 {
            history.notes.append("\(lost) conntrack events were lost, so these states may be out of date.")
        }
        if flows.droppedEvents > 0 {
            history.notes.append(
                "\(flows.droppedEvents) events were ignored: at most \(FlowHistory.limit) flows are followed at a time."
            )
        }
        if scope.sendsRaw, history.flows.contains(where: { $0.namespace == nil && !$0.isReplied }) {
            history.notes.append(Self.bypass)
        }
    }

    private static let bypass =
        "Raw frames that this host sends bypass its connection tracking: a flow begins with a received packet and stays "
        + "unreplied."
}
