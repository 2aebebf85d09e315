import Addresses
import Conntrack
import Kernel
import Logging
import Netlink
import Report
import Synchronization

/// Follows what this host's connection tracking knows of a run's flows, on a thread of its own.
///
/// It asks only where connection tracking is there already: asking would load its modules.
final class FlowWatch: Sendable {
    private let port: UInt16
    private let ownPort: UInt16?
    private let addresses: @Sendable () -> Set<IPAddress>
    private let logger: Logger
    private let stop: StopSignal
    private let history: Mutex<FlowHistory>

    /// Flows of a table that is read at the start; a bigger one would hold the measurement up.
    private static let readable = 100_000
    private static let pause: Int64 = 100_000_000
    private static let lookInterval: Int64 = 1_000_000_000
    private static let patience: Int64 = 500_000_000

    /// - Parameters:
    ///   - port: the one that reflectors listen on.
    ///   - ownPort: the one that the own session sends from; nil where there is none.
    ///   - addresses: reads this host's own, now and again.
    init(
        port: UInt16, ownPort: UInt16?, _ transport: Transport, _ logger: Logger,
        addresses: @escaping @Sendable () -> Set<IPAddress>
    ) throws(ProbeError) {
        self.port = port
        self.ownPort = ownPort
        self.addresses = addresses
        self.logger = logger
        stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        var history = FlowHistory()
        if transport == .packet { history.notes.append(Self.bypass) }
        self.history = Mutex(history)
    }

    /// Follows while `body` runs, and then gives what is known.
    static func follow<Value>(
        _ watch: FlowWatch?, during body: () async throws -> Value
    ) async throws -> (Value, FlowHistory?) {
        guard let watch else { return (try await body(), nil) }
        async let following: Void = PacketThread.run(named: "probe-flows") { watch.run() }
        defer { watch.stop.raise() }
        let value = try await body()
        watch.stop.raise()
        do {
            try await following
        } catch {
            // What was measured counts all the same.
            watch.giveUp("Not watched: \(error)")
        }
        return (value, watch.history.withLock { $0 })
    }

    private static let bypass =
        "Raw frames that this host sends go past its own tracking: a flow here begins with what comes in, and stays unreplied."

    /// Whether this network namespace has connection tracking.
    private static var isPossible: Bool { Host.setting("net/netfilter/nf_conntrack_count") != nil }

    private func run() {
        guard Self.isPossible else { return giveUp("This kernel has no connection tracking loaded.") }
        guard Host.has(.networkAdministration) else {
            return giveUp(
                "Not watched: that needs CAP_NET_ADMIN (run as root, or `setcap cap_net_admin,cap_net_raw+ep`).")
        }
        var flows = SessionFlows(port: port, ownPort: ownPort, addresses: addresses())
        do throws(SystemError) {
            let events = try listen()
            read(&flows)
            var nextLook = ClockID.monotonic.now() + Self.lookInterval
            while !stop.isRaised, hear(events, &flows, until: ClockID.monotonic.now() + Self.pause) != nil {
                guard ClockID.monotonic.now() >= nextLook else { continue }
                nextLook = ClockID.monotonic.now() + Self.lookInterval
                flows.addresses = addresses()
            }
            // What happened up to the end, however much comes meanwhile.
            let end = ClockID.monotonic.now() + Self.patience
            while ClockID.monotonic.now() < end, let heard = hear(events, &flows, until: 0), heard > 0 {}
            sum(events, flows)
        } catch {
            giveUp("Not watched: \(error)")
        }
    }

    private func listen() throws(SystemError) -> ConntrackEvents {
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
    private func read(_ flows: inout SessionFlows) {
        do throws(SystemError) {
            let table = try ConntrackTable()
            do throws(NetlinkError) {
                guard try table.size().flows <= Self.readable else {
                    return note(
                        "The table is too long to be read: of flows that it held before the run nothing is known.")
                }
                let now = ClockID.realtime.now()
                try table.dump { flow in add(flows.take(.found, flow, at: now)) }
            } catch {
                note("The table could not be read: \(error)")
            }
        } catch {
            note("The table could not be read: \(error)")
        }
    }

    /// - Returns: how many events were heard; nil where no more can come.
    private func hear(_ events: ConntrackEvents, _ flows: inout SessionFlows, until deadline: Int64) -> Int? {
        guard history.withLock(\.isKnown) else { return nil }
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
            history.withLock { history in
                history.isKnown = false
                history.notes.append("No longer watched: \(error)")
            }
            return nil
        }
    }

    private func sum(_ events: ConntrackEvents, _ flows: SessionFlows) {
        // What can't be counted any more is no reason to say nothing.
        try? events.finish()
        let lost = events.account.lost + events.account.malformed + events.account.unread
        if lost > 0 { note("\(lost) events were lost: what is said here may be out of date.") }
        if flows.leftOut > 0 {
            note("\(flows.leftOut) events were of flows beyond \(FlowHistory.limit) at a time.")
        }
    }

    private func add(_ change: FlowChange?) {
        guard let change else { return }
        history.withLock { $0.add(change) }
        if let text = change.retranslation {
            logger.warning("\(text). A step in the delay then has this reason.")
        }
    }

    private func giveUp(_ reason: String) {
        history.withLock { history in
            history.isKnown = false
            history.notes = [reason]
        }
    }

    private func note(_ text: String) { history.withLock { $0.notes.append(text) } }
}
