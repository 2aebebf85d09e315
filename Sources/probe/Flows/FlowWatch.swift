import Conntrack
import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import Report

/// Follows what this host's connection tracking knows of a run's flows, on a thread of its own.
///
/// It asks only where connection tracking is there already: asking would load its modules.
struct FlowWatch: Sendable {
    /// Whose flows.
    struct Scope: Sendable {
        /// The port that reflectors listen on.
        var port: UInt16
        /// The port that the own session sends from; nil where there is none.
        var localPort: UInt16?
        /// Whether what this host sends goes past its own tracking.
        var sendsRaw: Bool
        /// Reads this host's own addresses, now and again.
        var addresses: @Sendable () -> Set<IPAddress>
    }

    private let listener: Handoff<FlowListener>
    private let stop: StopSignal

    /// Runs `body`, and gives what became known of its flows.
    ///
    /// It listens before `body` begins, so that nothing of the run is missed.
    /// - Parameter scope: nil for what has no flows.
    static func follow<Value>(
        _ scope: Scope?, _ logger: Logger, during body: () async throws -> Value
    ) async throws -> (Value, FlowHistory?) {
        guard let scope else { return (try await body(), nil) }
        let watch: FlowWatch
        switch try begin(scope, logger) {
        case .success(let begun): watch = begun
        case .failure(let refusal): return (try await body(), FlowHistory(unknown: refusal.reason))
        }
        async let heard = PacketThread.run(named: "probe-flows") { [listener = watch.listener, stop = watch.stop] in
            var local = listener.take()
            return local?.run(until: stop) ?? FlowHistory()
        }
        defer { watch.stop.raise() }
        let value = try await body()
        watch.stop.raise()
        do {
            return (value, try await heard)
        } catch {
            // What was measured counts all the same.
            return (value, FlowHistory(unknown: "Not watched: \(error)"))
        }
    }

    /// Why nothing is known.
    private struct Refusal: Error {
        var reason: String
    }

    private static func begin(_ scope: Scope, _ logger: Logger) throws(ProbeError) -> Result<FlowWatch, Refusal> {
        guard Host.setting("net/netfilter/nf_conntrack_count") != nil else {
            return .failure(Refusal(reason: "This kernel has no connection tracking loaded."))
        }
        guard Host.has(.networkAdministration) else {
            return .failure(
                Refusal(reason: "Not watched: that needs CAP_NET_ADMIN beside what the run needs (`probe --help`)."))
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
