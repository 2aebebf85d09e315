import LinuxKernel
import Netlink
import NetworkAddresses

/// The path to the peer, from the kernel's tables or from the user's options.
struct PeerPath {
    /// The values that the user sets instead of a lookup.
    struct Overrides: Sendable {
        var source: IPAddress?
        var nextHop: IPAddress?
        var macAddress: MACAddress?
    }

    var source: IPAddress
    var nextHop: IPAddress
    /// The next hop's MAC address; zero for an ordinary socket, which needs none.
    var macAddress: MACAddress
    /// The MTU of the route, if it has one.
    var mtu: Int?
    /// True if the neighbour entry was created for this run, which then removes it.
    var createdNeighbour = false

    /// Looks up the path, and has the kernel resolve the next hop's MAC address if it is unknown.
    static func find(
        _ peer: IPAddress, on interface: Interface, transport: Transport, overrides: Overrides
    ) throws(ProbeError) -> PeerPath {
        var path = try route(peer, on: interface, overrides)
        guard transport == .packet else { return path }
        if let mac = overrides.macAddress {
            path.macAddress = mac
            return path
        }
        let nextHop = path.nextHop
        let resolver = try ProbeError.system {
            () throws(SystemError) in try NeighbourResolver(for: nextHop, on: interface)
        }
        let resolution: NeighbourResolver.Resolution
        do throws(NeighbourError) {
            resolution = try resolver.resolve()
        } catch {
            // The kernel created an entry for the lookup. Remove it, resolved or not.
            if case .noAnswer(_, interface: _, existedBefore: false) = error {
                path.createdNeighbour = true
                path.removeNeighbour(on: interface)
            }
            throw .noRoute("\(error) Use `--mac ADDRESS` to set its MAC address.")
        }
        path.macAddress = resolution.macAddress
        path.createdNeighbour = !resolution.existedBefore
        return path
    }

    /// Returns the path to a station on the same link, without IP. It needs no route and no neighbour entry.
    static func direct(to station: MACAddress, on interface: Interface) throws(ProbeError) -> PeerPath {
        guard station != interface.macAddress else {
            throw .usage("\(station) is the address of \(interface.name) itself. Use the peer's MAC address.")
        }
        let connection = try ProbeError.system { () throws(SystemError) in try NetlinkConnection() }
        do throws(NextHopError) {
            try NextHop.check(interface, connection: connection)
        } catch {
            throw .noInterface("\(error)")
        }
        return PeerPath(
            source: .linkLocal(of: interface.macAddress), nextHop: .linkLocal(of: station), macAddress: station)
    }

    private static func route(
        _ peer: IPAddress, on interface: Interface, _ overrides: Overrides
    ) throws(ProbeError) -> PeerPath {
        let connection = try ProbeError.system { () throws(SystemError) in try NetlinkConnection() }
        do throws(NextHopError) {
            let found = try NextHop.resolve(peer: peer, on: interface, connection: connection)
            return PeerPath(
                source: overrides.source ?? found.source, nextHop: overrides.nextHop ?? found.nextHop,
                macAddress: .zero, mtu: found.mtu)
        } catch {
            switch error {
            case .noRoute, .leavesByAnotherInterface, .noSourceAddress:
                // With source and next hop from the user no route is needed.
                if let source = overrides.source, overrides.macAddress != nil || overrides.nextHop != nil {
                    return PeerPath(
                        source: source, nextHop: overrides.nextHop ?? peer, macAddress: .zero)
                }
                throw .noRoute("\(error)")
            case .interfaceDown, .noCarrier: throw .noInterface("\(error)")
            case .localAddress, .notUnicast: throw .usage("\(error)")
            case .netlink: throw .noRoute("\(error)")
            }
        }
    }

    /// Removes the neighbour entry that was created for this run, if this process may (CAP_NET_ADMIN).
    func removeNeighbour(on interface: Interface) {
        guard createdNeighbour, Host.has(.networkAdministration), let connection = try? NetlinkConnection() else {
            return
        }
        _ = try? connection.deleteNeighbour(nextHop, on: interface.index)
    }
}
