import Glibc
import LinuxKernel
import NetworkAddresses

/// Whom to address frames to so that they reach a peer through one interface.
public struct NextHop: Hashable, Sendable {
    /// The source address that the kernel would choose.
    public var source: IPAddress
    /// The router, or the peer itself where it is on the link.
    public var nextHop: IPAddress
    /// The next hop's entry in the neighbour table; `nil` or unusable until somebody has sent to it, which
    /// ``NeighbourResolver`` does.
    public var neighbour: Neighbour?
    /// The route's own MTU in bytes; `nil` leaves it to the interface.
    public var mtu: Int?

    /// Asks the kernel for the route to `peer` through `interface`, its source address, and the next hop's MAC
    /// address as far as it is known.
    ///
    /// A link-local peer is looked for on the interface's own link.
    /// - Throws: ``NextHopError``, which says what to do.
    public static func resolve(
        peer: IPAddress, on interface: Interface, connection: NetlinkConnection
    ) throws(NextHopError) -> NextHop {
        // The limited broadcast address is in no table.
        if peer.isMulticast || peer.isUnspecified || peer == .v4(.max) { throw .notUnicast(peer) }
        let link = try workingLink(interface, connection)

        let route = try route(to: peer, on: link, connection)
        // With no other IPv6 address the kernel offers ::1, which nobody can answer.
        guard let source = route.preferredSource, !source.isLoopback else {
            let own = try asking { () throws(NetlinkError) in try connection.addresses(on: link.index) }
            let isTentative = own.contains { $0.isTentative && $0.address.isIPv4 == peer.isIPv4 }
            throw .noSourceAddress(peer, interface: link.name, isTentative: isTentative)
        }
        let nextHop = route.gateway ?? peer
        let neighbour = try asking { () throws(NetlinkError) in try connection.neighbour(nextHop, on: link.index) }
        return NextHop(source: source, nextHop: nextHop, neighbour: neighbour, mtu: route.mtu)
    }

    /// Looks whether frames can leave by the interface, for whoever needs no route.
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

    /// The unicast route through the link, or the reason why there is none.
    private static func route(
        to peer: IPAddress, on link: Link, _ connection: NetlinkConnection
    ) throws(NextHopError) -> Route {
        // Without an interface first: an own address that another interface has is only seen that way. A link-local
        // one means nothing without its interface.
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
            // Asked for an interface, IPv4 does not tell a route that refuses from none at all.
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

    /// A route, or the kind of the one that refuses. IPv4 tells that by the errno (fib_props in
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
