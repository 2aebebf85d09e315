import CLinux
import Glibc
import LinuxKernel

/// Receives the kernel's notifications of changed neighbours, addresses, links and routes of one network namespace.
///
///     let changes = try RouteChanges([.neighbours, .links])
///     while try changes.receive(until: deadline, { change in … }) {}
///
/// Not for concurrent use by two threads. No privilege is needed. Nothing is allocated per notification.
///
/// To miss nothing, subscribe first, then read the tables: a change is then in what was read, in a later notification,
/// or in both. A notification may be older than what was read; the newer ones follow it.
///
/// A router may change thousands of routes a second. A subscription to routes alone with a small receive buffer costs
/// its reader nothing then: read it at the pace at which routes can be looked up, and the kernel replaces what does not
/// fit into the buffer by one ``RouteChange/everything``.
///
/// What the kernel does not report: an IPv4 route that is removed with its interface or source address, or because its
/// interface is down (the address or link is reported, before the route is removed); routes learned from ICMP redirects;
/// sysctls that change the choice of a next hop. Source: fib_table_flush in net/ipv4/fib_trie.c, __ip_do_redirect in
/// net/ipv4/route.c.
public final class RouteChanges {
    /// The kinds of changes to receive.
    public struct Subjects: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let neighbours = Subjects(rawValue: 1)
        public static let addresses = Subjects(rawValue: 2)
        public static let links = Subjects(rawValue: 4)
        /// Routes, routing rules and next-hop objects.
        public static let routes = Subjects(rawValue: 8)
    }

    /// Maximum datagrams that one call of ``receive(until:_:)`` reads, so that the caller gets to its other work under
    /// load.
    public static let batch = 64

    private let connection: NetlinkConnection

    /// Opens a socket and joins the multicast groups of the subjects.
    ///
    /// - Parameters:
    ///   - namespace: a name that `ip netns list` shows, or the path of a namespace's file; `nil` for the calling
    ///     thread's namespace.
    ///   - receiveBuffer: the size of the receive buffer to request, in bytes; above net.core.rmem_max if permitted.
    /// - Throws: ``SystemError`` if the socket can't be opened or a group can't be joined.
    public init(
        _ subjects: Subjects, namespace: String? = nil, receiveBuffer: Int = 1 << 20
    ) throws(SystemError) {
        connection = try NetlinkConnection(namespace: namespace)
        _ = try connection.setReceiveBuffer(receiveBuffer)
        for group in Self.groups(subjects) { try connection.join(group: group.rawValue) }
        guard subjects.contains(.routes) else { return }
        do throws(SystemError) {
            try connection.join(group: RTNLGRP_NEXTHOP.rawValue)
        } catch  where error.code == EINVAL {
            // Kernels before 5.3 have no next-hop objects.
        }
    }

    package init(_ connection: NetlinkConnection) { self.connection = connection }

    private static func groups(_ subjects: Subjects) -> [rtnetlink_groups] {
        let all: [(Subjects, [rtnetlink_groups])] = [
            (.neighbours, [RTNLGRP_NEIGH]), (.addresses, [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR]),
            (.links, [RTNLGRP_LINK]),
            (.routes, [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE]),
        ]
        return all.flatMap { subject, groups in subjects.contains(subject) ? groups : [] }
    }

    /// Waits for changes and delivers those that have arrived.
    ///
    /// Lost notifications and malformed messages are ``RouteChange/everything``, not errors.
    /// - Parameter deadline: the time to stop waiting, in CLOCK_MONOTONIC nanoseconds.
    /// - Returns: `false` if the deadline passed and nothing arrived.
    /// - Throws: ``NetlinkError`` if the socket fails.
    public func receive(until deadline: Int64, _ body: (RouteChange) -> Void) throws(NetlinkError) -> Bool {
        for count in 0..<Self.batch {
            do throws(NetlinkError) {
                guard let datagram = try connection.receive("wait for changes", until: count == 0 ? deadline : 0)
                else { return count > 0 }
                Self.decode(datagram, body)
            } catch {
                switch error.cause {
                case .socket(let cause) where cause.code == ENOBUFS: body(.everything)
                case .truncated: body(.everything)
                default: throw error
                }
            }
        }
        return true
    }

    private static func decode(_ datagram: NetlinkDatagram, _ body: (RouteChange) -> Void) {
        var messages = datagram.messages
        while let message = messages.next() {
            do throws(NetlinkFormatError) {
                if let change = try RouteChange(message) { body(change) }
            } catch {
                body(.everything)
            }
        }
        if messages.error != nil { body(.everything) }
    }

    /// Waits until one of the subscriptions has something to receive, the signal is raised, or the deadline passes.
    ///
    /// - Parameter deadline: the time to stop waiting, in CLOCK_MONOTONIC nanoseconds; `Int64.max`: wait without a limit.
    /// - Throws: ``SystemError`` with the errno of poll(2).
    public static func wait(
        for subscriptions: [RouteChanges], or signal: borrowing EventSignal, until deadline: Int64
    ) throws(SystemError) {
        var descriptors = [signal.descriptor.rawValue]
        for subscription in subscriptions {
            let descriptor = try subscription.connection.transport.withSocket { socket throws(SystemError) in
                socket.rawValue
            }
            if let descriptor { descriptors.append(descriptor) }
        }
        let left = deadline == .max ? -1 : max(0, deadline &- ClockID.monotonic.now())
        _ = try Descriptor.waitForInput(onAny: descriptors, timeout: left)
    }
}
