import NetworkAddresses

/// The reason why a peer is not reachable through an interface, with a remedy.
public enum NextHopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is local to this host: packets to it never reach the interface.
    case localAddress(IPAddress)
    /// A multicast, broadcast or unspecified address.
    case notUnicast(IPAddress)
    /// The interface is administratively down.
    case interfaceDown(String)
    /// The interface is up but has no carrier.
    case noCarrier(String)
    /// No route of any interface covers the peer, or a route of that kind rejects its packets.
    case noRoute(IPAddress, interface: String, kind: Route.Kind?)
    /// The route to the peer leaves by another interface.
    case leavesByAnotherInterface(IPAddress, asked: String, actual: String)
    /// The host has no source address of the peer's family.
    case noSourceAddress(IPAddress, interface: String, isTentative: Bool)
    case netlink(NetlinkError)

    public var description: String {
        switch self {
        case .localAddress(let peer):
            "\(peer) is an address of this host (`ip addr` lists them). Use the peer's address."
        case .notUnicast(let peer): "\(peer) is not a unicast address. Use the address of one host."
        case .interfaceDown(let name): "\(name) is down. Bring it up with `ip link set \(name) up`."
        case .noCarrier(let name):
            "\(name) has no carrier. Check the cable and the other end; `ip link show \(name)` shows the state."
        case .noRoute(let peer, let interface, let kind): missingRoute(peer, interface, kind)
        case .leavesByAnotherInterface(let peer, let asked, let actual):
            "the route to \(peer) uses \(actual), not \(asked). Use \(actual), or add a route through "
                + "\(asked) with `\(command(peer)) route add`."
        case .noSourceAddress(let peer, let interface, isTentative: true):
            "\(interface) has no usable \(family(peer)) source address yet: duplicate address detection is running. "
                + "Retry in two seconds; `ip addr show \(interface)` shows the state."
        case .noSourceAddress(let peer, let interface, isTentative: false):
            "no \(family(peer)) source address for packets to \(peer). Add one to \(interface) with `ip addr add`."
        case .netlink(let error): error.description
        }
    }
}

private func family(_ peer: IPAddress) -> String { peer.isIPv4 ? "IPv4" : "IPv6" }
private func command(_ peer: IPAddress) -> String { peer.isIPv4 ? "ip" : "ip -6" }

private func missingRoute(_ peer: IPAddress, _ interface: String, _ kind: Route.Kind?) -> String {
    let command = command(peer)
    let reason =
        switch kind {
        case .blackhole: "a blackhole route discards packets to \(peer)"
        case .prohibit: "a route prohibits packets to \(peer)"
        case .unreachable: "a route makes \(peer) unreachable"
        default: "no route to \(peer) through \(interface)"
        }
    return "\(reason). `\(command) route get \(peer) oif \(interface)` shows the kernel's choice; "
        + "add a route with `\(command) route add`."
}
