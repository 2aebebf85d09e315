import NetworkAddresses

/// Why there is no way to a peer through an interface, and what to do about it.
public enum NextHopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is one of this host's own: packets to it never reach the interface.
    case localAddress(IPAddress)
    /// A multicast, broadcast or unspecified address.
    case notUnicast(IPAddress)
    /// The interface is switched off.
    case interfaceDown(String)
    /// The interface is on, the link is not.
    case noCarrier(String)
    /// No route of any interface covers the peer, or one of that kind refuses its packets.
    case noRoute(IPAddress, interface: String, kind: Route.Kind?)
    /// The route to the peer leaves by another interface.
    case leavesByAnotherInterface(IPAddress, asked: String, actual: String)
    /// The host has no address of the peer's family that it could send from.
    case noSourceAddress(IPAddress, interface: String, isTentative: Bool)
    case netlink(NetlinkError)

    public var description: String {
        switch self {
        case .localAddress(let peer):
            "\(peer) is an address of this host: name the other host's address (`ip addr` lists this one's)."
        case .notUnicast(let peer): "\(peer) is not the address of one host: name a unicast address."
        case .interfaceDown(let name): "\(name) is down: `ip link set \(name) up` switches it on."
        case .noCarrier(let name):
            "\(name) has no carrier: is the cable in, and the other end on? `ip link show \(name)` tells."
        case .noRoute(let peer, let interface, let kind): missingRoute(peer, interface, kind)
        case .leavesByAnotherInterface(let peer, let asked, let actual):
            "the route to \(peer) leaves by \(actual), not by \(asked): use \(actual), or add a route through "
                + "\(asked) with `\(command(peer)) route add`."
        case .noSourceAddress(let peer, let interface, isTentative: true):
            "\(interface) has no \(family(peer)) address to send from yet: duplicate address detection still runs. "
                + "Try again in two seconds, or see `ip addr show \(interface)`."
        case .noSourceAddress(let peer, let interface, isTentative: false):
            "there is no \(family(peer)) address to send to \(peer) from: `ip addr add` gives \(interface) one."
        case .netlink(let error): error.description
        }
    }
}

private func family(_ peer: IPAddress) -> String { peer.isIPv4 ? "IPv4" : "IPv6" }
private func command(_ peer: IPAddress) -> String { peer.isIPv4 ? "ip" : "ip -6" }

private func missingRoute(_ peer: IPAddress, _ interface: String, _ kind: Route.Kind?) -> String {
    let look = "`\(command(peer)) route get \(peer) oif \(interface)` shows what the kernel finds"
    let reason =
        switch kind {
        case .blackhole: "a blackhole route swallows packets to \(peer)"
        case .prohibit: "a route prohibits packets to \(peer)"
        case .unreachable: "a route makes \(peer) unreachable"
        default: "there is no route to \(peer) through \(interface)"
        }
    return "\(reason): \(look), `\(command(peer)) route add` adds one."
}
