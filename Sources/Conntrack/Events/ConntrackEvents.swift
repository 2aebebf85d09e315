import CLinux
import Glibc
import LinuxKernel
import Netlink

/// Listens to what happens to flows: new ones, changes, ends.
///
/// Needs CAP_NET_ADMIN in the network namespace. Since Linux 5.19 a flow that began while nobody listened has no events,
/// not even its end, unless `net.netfilter.nf_conntrack_events` is 1: read the table once after the listener is there.
/// Not for use by two threads at once. Source: nf_conntrack_netlink.c and nf_conntrack_ecache.c of the kernel.
public final class ConntrackEvents {
    /// What to listen to, and how much of it to bear.
    public struct Options: Hashable, Sendable {
        /// What to be told of.
        public var kinds: Set<FlowEvent.Kind> = Set(FlowEvent.Kind.allCases)
        /// The one flow to be told of, by packets as they are seen here: the kernel sorts the others out.
        public var flow: FlowTuple?
        /// The one UDP port to be told of, at either end of a flow, for those whose peers are not known beforehand: the
        /// kernel sorts the others out. ``limit`` does not act then, since a socket has one filter.
        public var udpPort: UInt16?
        /// Whether to listen to other namespaces too: all that have a number in this one (`ip netns set NAME auto` gives
        /// one). Needs CAP_NET_BROADCAST. Kernels differ in whether this counts as a listener there: 1 for
        /// `net.netfilter.nf_conntrack_events` there makes sure of events.
        public var allNamespaces = false
        /// Bytes of receive buffer to ask for.
        public var bufferBytes = 16 << 20
        /// Events a second above which a sample is taken; `nil` takes everything, whatever the rate.
        public var limit: Double? = 20_000

        /// All events of the own namespace.
        public init() {}
    }

    /// What became of all events so far.
    public private(set) var account = EventAccount()
    /// The receive buffer's size as the kernel granted it, in bytes, bookkeeping included.
    public let bufferBytes: Int

    private let connection: NetlinkConnection
    private let kinds: Set<FlowEvent.Kind>
    private let flow: FlowTuple?
    private var breaker: EventBreaker?
    private let sampler: EventSampler
    /// What the socket's counter stood at.
    private var drops: UInt32 = 0
    /// What the account stood at when the rate was last looked at.
    private var counted: UInt64 = 0
    /// What an estimate has not yet put into the account, less than one event.
    private var estimateRest = 0.0
    private var sampledFrom: UInt64 = 0
    /// When the counters are read next: CLOCK_MONOTONIC.
    private var nextReading: Int64

    /// The most events that one call gives, so that its caller comes to other work.
    static let batch = 1024

    /// Listens in the calling thread's network namespace, or in another one.
    ///
    /// - Parameter namespace: a name that `ip netns list` shows, or the path of a namespace's file such as
    ///   /proc/123/ns/net. Needs CAP_SYS_ADMIN.
    /// - Throws: ``SystemError``: EPERM without CAP_NET_ADMIN.
    public convenience init(namespace: String? = nil, _ options: Options = Options()) throws(SystemError) {
        try self.init(
            connection: try NetlinkConnection(protocol: NETLINK_NETFILTER, namespace: namespace), options,
            sampler: EventSampler())
    }

    /// Listens on a connection that a function may play.
    init(
        connection: NetlinkConnection, _ options: Options, sampler: EventSampler
    ) throws(SystemError) {
        self.connection = connection
        self.sampler = sampler
        kinds = options.kinds
        flow = options.flow
        let now = ClockID.monotonic.now()
        nextReading = now + EventBreaker.interval
        bufferBytes = try connection.setReceiveBuffer(options.bufferBytes)
        // A socket has one filter: with this one there is no sampler, which would miss what happens to the flow.
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

    /// The part of the events that is taken now: 1 is everything.
    public var fraction: Double { breaker?.fraction ?? 1 }

    /// All events a second, smoothed; `nil` where the rate is not followed.
    public var rate: Double? { breaker?.rate }

    /// Waits for events and gives all that have come, a thousand or so at most.
    ///
    /// Lost events are no error: they are in the ``account``.
    /// - Parameters:
    ///   - deadline: CLOCK_MONOTONIC, nanoseconds.
    ///   - body: gets each event, in the kernel's order.
    /// - Returns: how many events were given; 0 when the time was over first.
    /// - Throws: ``NetlinkError`` where the socket fails.
    public func next(until deadline: Int64, _ body: (borrowing FlowEvent) -> Void) throws(NetlinkError) -> Int {
        while true {
            let now = ClockID.monotonic.now()
            if now >= nextReading { try readCounters(at: now) }
            let given = try receiveBatch(until: min(deadline, nextReading), body)
            if given > 0 || now >= deadline { return given }
        }
    }

    /// Brings the ``account`` up to date, and looks whether to take more or less.
    public func readCounters() throws(NetlinkError) { try readCounters(at: ClockID.monotonic.now()) }

    /// Ends the listening and closes the ``account``: what has come and was not given is counted too.
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

    private static let operation: StaticString = "listen to the flows"

    private func receiveBatch(
        until deadline: Int64, _ body: (borrowing FlowEvent) -> Void
    ) throws(NetlinkError) -> Int {
        var given = 0
        var wait = deadline
        for _ in 0..<Self.batch {
            do throws(NetlinkError) {
                guard let datagram = try connection.receive(Self.operation, until: wait) else { break }
                given += handle(datagram, body)
            } catch  where error.code == ENOBUFS {
                account.overruns += 1
            }
            // Only the first is waited for.
            wait = 0
        }
        return given
    }

    private func handle(_ datagram: NetlinkDatagram, _ body: (borrowing FlowEvent) -> Void) -> Int {
        var given = 0
        var messages = datagram.messages
        while let message = messages.next() {
            do throws(NetlinkFormatError) {
                guard var event = try FlowEvent(message) else { continue }
                // The kernel's filter lets through what it does not recognise.
                if let flow, event.flow.direction(of: flow) == nil { continue }
                event.flow.namespaceID = datagram.namespaceID
                account.received += 1
                given += 1
                body(event)
            } catch {
                account.malformed += 1
            }
        }
        if messages.error != nil { account.malformed += 1 }
        return given
    }

    // MARK: - Counting and sampling

    private func readCounters(at now: Int64) throws(NetlinkError) {
        nextReading = now + EventBreaker.interval
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
            try sampler.take(breaker.fraction, of: connection)
        } catch {
            throw NetlinkError(Self.operation, .socket(error))
        }
    }

    private func countLeftOut() throws(SystemError) {
        if let leftOut = try sampler.leftOut() {
            account.leftOut = leftOut
            return
        }
        let taken = account.received + account.lost + account.malformed + account.unread
        if let breaker, breaker.isSampling {
            account.isLeftOutExact = false
            estimateRest += Double(taken - sampledFrom) * (1 / breaker.fraction - 1)
            let whole = UInt64(estimateRest)
            account.leftOut += whole
            estimateRest -= Double(whole)
        }
        sampledFrom = taken
    }
}

extension FlowEvent.Kind {
    /// Source: enum nfnetlink_groups in linux/netfilter/nfnetlink.h.
    fileprivate var group: UInt32 {
        switch self {
        case .new: NFNLGRP_CONNTRACK_NEW.rawValue
        case .update: NFNLGRP_CONNTRACK_UPDATE.rawValue
        case .destroy: NFNLGRP_CONNTRACK_DESTROY.rawValue
        }
    }
}
