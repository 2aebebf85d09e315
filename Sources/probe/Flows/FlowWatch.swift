import Conntrack
import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import Report

/// Watches the state of a run's flows in this host's connection tracking, on a separate thread.
///
/// It queries conntrack only if it is loaded already, since a query would load its modules.
struct FlowWatch: Sendable {
    /// The flows to watch.
    struct Scope: Sendable {
        /// The reflectors' port.
        var port: UInt16
        /// The local session-senders' ports, a range for each of their sockets.
        var localPorts: [ClosedRange<UInt16>]
        /// True if this host sends raw frames, which bypass its connection tracking.
        var sendsRaw: Bool
        /// Reads this host's addresses. It is called repeatedly.
        var addresses: @Sendable () -> Set<IPAddress>
    }

    private let listener: Handoff<FlowListener>
    private let stop: StopSignal

    /// Runs `body`, and returns its result with the history of its flows.
    ///
    /// It subscribes before `body` begins, so that no event of the run is missed.
    /// - Parameter scope: nil for a run without flows.
    static func follow<Value>(
        _ scope: Scope?, _ logger: Logger, during body: () async throws -> Value
    ) async throws -> (Value, FlowHistory?) {
        guard let scope else { return (try await body(), nil) }
        let watch: FlowWatch
        switch try begin(scope, logger) {
        case .success(let begun): watch = begun
        case .failure(let refusal): return (try await body(), FlowHistory(unknown: refusal.reason))
        }
        async let history = PacketThread.run(named: "probe-flows") { [listener = watch.listener, stop = watch.stop] in
            var flowListener = listener.take()
            return flowListener?.run(until: stop) ?? FlowHistory()
        }
        defer { watch.stop.raise() }
        let value = try await body()
        watch.stop.raise()
        do {
            return (value, try await history)
        } catch {
            // The measurement is valid without it.
            return (value, FlowHistory(unknown: "Not watched: \(error)"))
        }
    }

    /// The reason why flows are not watched.
    private struct Refusal: Error {
        var reason: String
    }

    private static func begin(_ scope: Scope, _ logger: Logger) throws(ProbeError) -> Result<FlowWatch, Refusal> {
        guard Host.setting("net/netfilter/nf_conntrack_count") != nil else {
            return .failure(Refusal(reason: "Connection tracking is not loaded in this kernel."))
        }
        guard Host.has(.networkAdministration) else {
            return .failure(
                Refusal(reason: "Not watched: CAP_NET_ADMIN is missing (see `probe --help`)."))
        }
        let stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        do throws(SystemError) {
            let listener = try FlowListener(scope, logger)
            return .success(FlowWatch(listener: Handoff(listener), stop: stop))
        } catch {
            return .failure(Refusal(reason: "Not watched: \(error)"))
        }
    }
}
