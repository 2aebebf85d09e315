import LinuxKernel
import Logging
import Netlink
import PSample
import Report

/// Receives psample's samples on a separate thread, and passes those of the run's packets to the recorder.
struct SampleWatch: Sendable {
    let group: UInt32
    let flow: SampledFlow
    let ring: SPSCRing<PendingSample>
    let stop: StopSignal
    private let subscription: Handoff<SampleSubscription>
    private let logger: Logger

    /// Subscribes to the group. Samples are received from then on.
    ///
    /// - Parameter intervalNanoseconds: the time between probes, in nanoseconds. For each probe, up to four packets are
    ///   sampled.
    init(group: UInt32, _ flow: SampledFlow, intervalNanoseconds: Int64, _ logger: Logger) throws(ProbeError) {
        let subscription: SampleSubscription
        do throws(NetlinkError) {
            subscription = try SampleSubscription(groups: [group])
        } catch {
            throw Self.explained(error)
        }
        let stop = try ProbeError.system { () throws(SystemError) in try StopSignal() }
        self.init(
            subscription, group: group, flow,
            capacity: 4 * EndpointThreads.ringCapacity(2e9 / Double(max(1, intervalNanoseconds))), stop,
            logger)
    }

    init(
        _ subscription: sending SampleSubscription, group: UInt32, _ flow: SampledFlow, capacity: Int,
        _ stop: StopSignal, _ logger: Logger
    ) {
        self.group = group
        self.flow = flow
        self.stop = stop
        self.logger = logger
        ring = SPSCRing(capacity: capacity)
        self.subscription = Handoff(subscription)
    }

    /// The time between two checks of the stop signal, in nanoseconds.
    private static let pollInterval: Int64 = 50_000_000
    /// The longest time to read the remaining samples at the end, in nanoseconds.
    private static let drainTimeout: Int64 = 500_000_000

    /// Receives samples until it is stopped, and then those that are still in the buffer.
    func run() -> SampleComparison.Counts {
        var counts = SampleComparison.Counts()
        guard let subscription = subscription.take() else { return counts }
        var end: Int64?
        do throws(NetlinkError) {
            while true {
                if end == nil, stop.isRaised { end = ClockID.monotonic.now() &+ Self.drainTimeout }
                let deadline = end == nil ? ClockID.monotonic.now() &+ Self.pollInterval : 0
                let hasReceived = try subscription.receive(until: deadline) { received, _ in
                    handle(received, &counts)
                } event: { event in
                    if case .malformed = event { counts.damaged &+= 1 }
                }
                if let end, !hasReceived || ClockID.monotonic.now() > end { break }
            }
        } catch {
            counts.hasFailed = true
            logger.warning("Receiving samples failed, so later samples are missing: \(error)")
        }
        subscription.updateDropped()
        counts.lostInBuffer = subscription.dropped
        counts.lost = subscription.sequences[group]?.lost ?? 0
        return counts
    }

    private func handle(_ received: borrowing ReceivedSample, _ counts: inout SampleComparison.Counts) {
        counts.heard &+= 1
        switch flow.classify(received) {
        case .local(let sample):
            counts.local &+= 1
            if !ring.push(sample) { counts.dropped &+= 1 }
        case .elsewhere: counts.elsewhere &+= 1
        case .thirdParty: break
        case .tooShort: counts.tooShort &+= 1
        case .withoutTime: counts.withoutTime &+= 1
        }
    }

    private static func explained(_ error: NetlinkError) -> ProbeError {
        switch error.code {
        case ErrorCode.notPermitted:
            .noPrivilege(
                "--psample needs CAP_NET_ADMIN. Run as root, or grant it once with `setcap cap_net_raw,cap_net_admin+ep` on "
                    + "the executable.")
        default: .internalFault("--psample: \(error)")
        }
    }
}
