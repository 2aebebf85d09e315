import Glibc
import LinuxKernel
import NetworkAddresses

/// The next hop of packets to a peer through one interface.
public struct NextHop: Hashable, Sendable {
    /// The source address that the kernel selects.
    public var source: IPAddress
    /// The router, or the peer itself if it is on the link.
    public var nextHop: IPAddress
    /// The next hop's entry in the neighbour table. It is `nil` or unusable until a packet has been sent to the next
    /// hop; ``NeighbourResolver`` sends one.
    public var neighbour: Neighbour?
    /// The route's MTU in bytes; `nil` if the interface's MTU applies.
    public var mtu: Int?

    /// Looks up the route to `peer` through `interface`, its source address, and the next hop's MAC address if known.
    ///
    /// A link-local peer is looked up on the interface's link.
    /// - Throws: ``NextHopError``, which includes a remedy.
    public static func resolve(
        peer: IPAddress, on interface: Interface, connection: NetlinkConnection
    ) throws(NextHopError) -> NextHop {
        // No routing table contains the limited broadcast address.
        if peer.isMulticast || peer.isUnspecified || peer == .v4(.max) { throw .notUnicast(peer) }
        let link = try workingLink(interface, connection)

        let route = try route(to: peer, on: link, connection)
        // Without another IPv6 address the kernel selects ::1, which a peer cannot answer.
        guard let source = route.preferredSource, !source.isLoopback else {
            let local = try asking { () throws(NetlinkError) in try connection.addresses(on: link.index) }
            let isTentative = local.contains { $0.isTentative && $0.address.isIPv4 == peer.isIPv4 }
            throw .noSourceAddress(peer, interface: link.name, isTentative: isTentative)
        }
        let nextHop = route.gateway ?? peer
        let neighbour = try asking { () throws(NetlinkError) in try connection.neighbour(nextHop, on: link.index) }
        return NextHop(source: source, nextHop: nextHop, neighbour: neighbour, mtu: route.mtu)
    }

    /// Checks that the interface can send frames, for callers that need no route.
    ///
    /// - Throws: ``NextHopError/interfaceDown(_:)``, ``NextHopError/noCarrier(_:)`` or a failed request.
    public static func check(_ interface: Interface, connection: NetlinkConnection) throws(NextHopError) {
        _ = try workingLink(interface, connection)
    }

    private static func workingLink(
        _ interface: Interface, _ connection: NetlinkConnection
    ) throws(NextHopError) -> Link {
        let link = try asking { () throws(NetlinkError) in try connection.link(interface.index) }
        if !link.isUp { throw .interfaceDown(link.name) }
        if !link.hasCarrier { throw .noCarrier(link.name) }
        return link
    }

    /// Looks up the unicast route through the link, or throws the reason why there is none.
    private static func route(
        to peer: IPAddress, on link: Link, _ connection: NetlinkConnection
    ) throws(NextHopError) -> Route {
        // First without an interface, which is the only way to recognise a local address of another interface. A
        // link-local address has no meaning without its interface.
        let free: Lookup =
            !peer.isIPv4 && peer.isLinkLocal ? .none(nil) : try lookUp(peer, through: nil, connection)
        if case .found(let route) = free, route.kind == .local { throw .localAddress(peer) }

        switch try lookUp(peer, through: link.index, connection) {
        case .found(let route):
            switch route.kind {
            case .unicast where route.interfaceIndex == link.index: return route
            case .unicast: throw try leavingByAnother(peer, link, route.interfaceIndex, connection)
            case .local: throw .localAddress(peer)
            case .broadcast, .multicast, .anycast: throw .notUnicast(peer)
            default: throw .noRoute(peer, interface: link.name, kind: route.kind)
            }
        case .none(let kind):
            if case .found(let route) = free, route.kind == .unicast, route.interfaceIndex != link.index {
                throw try leavingByAnother(peer, link, route.interfaceIndex, connection)
            }
            // With an interface, IPv4 does not distinguish a rejecting route from no route.
            if case .none(let freeKind) = free { throw .noRoute(peer, interface: link.name, kind: kind ?? freeKind) }
            throw .noRoute(peer, interface: link.name, kind: kind)
        }
    }

    private static func leavingByAnother(
        _ peer: IPAddress, _ link: Link, _ index: Int32, _ connection: NetlinkConnection
    ) throws(NextHopError) -> NextHopError {
        let other = try asking { () throws(NetlinkError) in try connection.link(index) }
        return .leavesByAnotherInterface(peer, asked: link.name, actual: other.name)
    }

    private enum Lookup {
        case found(Route)
        case none(Route.Kind?)
    }

    /// Looks up a route, or the kind of a route that rejects packets. IPv4 reports the kind by errno (fib_props in
    /// net/ipv4/fib_semantics.c).
    private static func lookUp(
        _ peer: IPAddress, through index: Int32?, _ connection: NetlinkConnection
    ) throws(NextHopError) -> Lookup {
        do throws(NetlinkError) {
            return .found(try connection.route(to: peer, through: index))
        } catch {
            switch error.cause {
            case .refused(ENETUNREACH): return .none(nil)
            case .refused(EHOSTUNREACH): return .none(index == nil ? .unreachable : nil)
            case .refused(EACCES): return .none(.prohibit)
            case .refused(EINVAL) where error.kernelMessage == nil: return .none(.blackhole)
            default: throw .netlink(error)
            }
        }
    }

    private static func asking<Value>(_ body: () throws(NetlinkError) -> Value) throws(NextHopError) -> Value {
        do throws(NetlinkError) { return try body() } catch { throw .netlink(error) }
    }
}
