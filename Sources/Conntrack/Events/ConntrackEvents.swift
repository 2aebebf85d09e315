import CLinux
import Glibc
import LinuxKernel
import Netlink

/// A listener for conntrack events: new, updated and destroyed flows.
///
/// It needs CAP_NET_ADMIN in the network namespace and is not for concurrent use by two threads. Since Linux 5.19 a
/// flow that began without a listener has no events, not even its end, unless `net.netfilter.nf_conntrack_events` is 1:
/// dump the table once after opening the listener. Source: nf_conntrack_netlink.c and nf_conntrack_ecache.c of the
/// kernel.
public final class ConntrackEvents {
    /// The events to receive, and the rate above which they are sampled.
    public struct Options: Hashable, Sendable {
        /// The kinds of events to receive.
        public var kinds: Set<FlowEvent.Kind> = Set(FlowEvent.Kind.allCases)
        /// The only flow to receive events of, identified by its packets as seen on this host. The kernel filters out
        /// all others.
        public var flow: FlowTuple?
        /// The only UDP port to receive events of, at either end of a flow, for listeners that do not know their peers
        /// in advance. The kernel filters out all other flows. ``limit`` then has no effect, because a socket has one
        /// filter.
        public var udpPort: UInt16?
        /// True to also receive events of every namespace that has an id in this one (`ip netns set NAME auto` assigns
        /// one). Needs CAP_NET_BROADCAST. Kernels differ in whether this counts as a listener in the other namespace;
        /// set `net.netfilter.nf_conntrack_events` to 1 there to be sure of events.
        public var allNamespaces = false
        /// The size of the receive buffer to request, in bytes.
        public var bufferBytes = 16 << 20
        /// Events per second above which events are sampled; `nil` for no limit.
        public var limit: Double? = 20_000

        /// Options for all events of one namespace.
        public init() {}
    }

    /// Counters of all events so far.
    public private(set) var account = EventAccount()
    /// The size of the receive buffer that the kernel granted, in bytes, including bookkeeping.
    public let bufferBytes: Int

    private let connection: NetlinkConnection
    private let kinds: Set<FlowEvent.Kind>
    private let flow: FlowTuple?
    private var breaker: EventBreaker?
    private let sampler: EventSampler
    /// The last value of the socket's drop counter.
    private var drops: UInt32 = 0
    /// The account's total at the last update of the rate.
    private var counted: UInt64 = 0
    /// The fraction of an event that the estimate has not yet added to the account.
    private var estimateRest = 0.0
    /// The number of events let through at the last estimate.
    private var sampledFrom: UInt64 = 0
    /// The time of the next reading of the counters, in CLOCK_MONOTONIC nanoseconds.
    private var nextReading: Int64

    /// The maximum number of datagrams that one call reads, so that the caller gets to its other work.
    static let batch = 1024

    /// Starts to listen in the calling thread's network namespace, or in another one.
    ///
    /// - Parameter namespace: a name that `ip netns list` shows, or the path of a namespace's file such as
    ///   /proc/123/ns/net. Needs CAP_SYS_ADMIN.
    /// - Throws: ``SystemError`` with code EPERM without CAP_NET_ADMIN.
    public convenience init(namespace: String? = nil, _ options: Options = Options()) throws(SystemError) {
        try self.init(
            connection: try NetlinkConnection(protocol: NETLINK_NETFILTER, namespace: namespace), options,
            sampler: EventSampler())
    }

    /// Starts to listen on a connection, which may be simulated.
    init(
        connection: NetlinkConnection, _ options: Options, sampler: EventSampler
    ) throws(SystemError) {
        self.connection = connection
        self.sampler = sampler
        kinds = options.kinds
        flow = options.flow
        let now = ClockID.monotonic.now()
        nextReading = now + EventBreaker.intervalNanoseconds
        bufferBytes = try connection.setReceiveBuffer(options.bufferBytes)
        // A socket has one filter, so this excludes the sampler, which would also miss events of the flow.
        if let flow = options.flow {
            try connection.attach(FlowFilter.program(for: flow))
        } else if let port = options.udpPort {
            try connection.attach(FlowFilter.program(forUDPPort: port))
        } else {
            breaker = options.limit.map { EventBreaker(limit: $0, at: now) }
        }
        if options.allNamespaces { try connection.listenToAllNamespaces() }
        do throws(SystemError) {
            for kind in kinds {
                try connection.join(group: kind.group)
            }
        } catch  where error.code == EPERM {
            throw error.advising("Run as root, or grant CAP_NET_ADMIN with `setcap`.")
        }
    }

    /// The fraction of events that is received now; 1 for all.
    public var fraction: Double { breaker?.fraction ?? 1 }

    /// The smoothed rate of all events per second, received or not; `nil` if it is not measured.
    public var rate: Double? { breaker?.rate }

    /// Waits for events and delivers those that have arrived, up to 1024 datagrams.
    ///
    /// Lost events are not an error: the ``account`` counts them.
    /// - Parameters:
    ///   - deadline: the time to stop waiting, in CLOCK_MONOTONIC nanoseconds.
    ///   - body: called with each event, in the kernel's order.
    /// - Returns: the number of events delivered; 0 if the deadline passed first.
    /// - Throws: ``NetlinkError`` if the socket fails.
    public func next(until deadline: Int64, _ body: (borrowing FlowEvent) -> Void) throws(NetlinkError) -> Int {
        while true {
            let now = ClockID.monotonic.now()
            if now >= nextReading { try readCounters(at: now) }
            let delivered = try receiveBatch(until: min(deadline, nextReading), body)
            if delivered > 0 || now >= deadline { return delivered }
        }
    }

    /// Updates the ``account`` and the sampled fraction.
    public func readCounters() throws(NetlinkError) { try readCounters(at: ClockID.monotonic.now()) }

    /// Stops listening and completes the ``account``, which then includes queued events that were not delivered.
    public func finish() throws(NetlinkError) {
        do throws(SystemError) {
            for kind in kinds { try connection.leave(group: kind.group) }
        } catch {
            throw NetlinkError(Self.operation, .socket(error))
        }
        while true {
            do throws(NetlinkError) {
                guard try connection.receive(Self.operation, until: 0) != nil else { break }
                account.unread += 1
            } catch  where error.code == ENOBUFS {
                account.overruns += 1
            }
        }
        try readCounters()
    }

    // MARK: - Receiving

    private static let operation: StaticString = "listen to conntrack events"

    private func receiveBatch(
        until deadline: Int64, _ body: (borrowing FlowEvent) -> Void
    ) throws(NetlinkError) -> Int {
        var delivered = 0
        var wait = deadline
        for _ in 0..<Self.batch {
            do throws(NetlinkError) {
                guard let datagram = try connection.receive(Self.operation, until: wait) else { break }
                delivered += handle(datagram, body)
            } catch  where error.code == ENOBUFS {
                account.overruns += 1
            }
            // Only the first datagram is waited for.
            wait = 0
        }
        return delivered
    }

    private func handle(_ datagram: NetlinkDatagram, _ body: (borrowing FlowEvent) -> Void) -> Int {
        var delivered = 0
        var messages = datagram.messages
        while let message = messages.next() {
            do throws(NetlinkFormatError) {
                guard var event = try FlowEvent(message) else { continue }
                // The kernel's filter also passes messages of unknown layout.
                if let flow, event.flow.direction(of: flow) == nil { continue }
                event.flow.namespaceID = datagram.namespaceID
                account.received += 1
                delivered += 1
                body(event)
            } catch {
                account.malformed += 1
            }
        }
        if messages.error != nil { account.malformed += 1 }
        return delivered
    }

    // MARK: - Counting and sampling

    private func readCounters(at now: Int64) throws(NetlinkError) {
        nextReading = now + EventBreaker.intervalNanoseconds
        do throws(SystemError) {
            let dropped = try connection.drops()
            account.lost += UInt64(dropped &- drops)
            drops = dropped
            try countLeftOut()
            let total = account.total
            breaker?.add(total - counted)
            counted = total
            guard breaker?.decide(at: now) == true, let breaker else { return }
            account.trips = breaker.trips
            try sampler.apply(breaker.fraction, to: connection)
        } catch {
            throw NetlinkError(Self.operation, .socket(error))
        }
    }

    private func countLeftOut() throws(SystemError) {
        if let leftOut = try sampler.leftOut() {
            account.leftOut = leftOut
            return
        }
        let passed = account.received + account.lost + account.malformed + account.unread
        if let breaker, breaker.isSampling {
            account.isLeftOutExact = false
            estimateRest += Double(passed - sampledFrom) * (1 / breaker.fraction - 1)
            let whole = UInt64(estimateRest)
            account.leftOut += whole
            estimateRest -= Double(whole)
        }
        sampledFrom = passed
    }
}

extension FlowEvent.Kind {
    /// The multicast group. Source: enum nfnetlink_groups in linux/netfilter/nfnetlink.h.
    fileprivate var group: UInt32 {
        switch self {
        case .new: NFNLGRP_CONNTRACK_NEW.rawValue
        case .update: NFNLGRP_CONNTRACK_UPDATE.rawValue
        case .destroy: NFNLGRP_CONNTRACK_DESTROY.rawValue
        }
    }
}
