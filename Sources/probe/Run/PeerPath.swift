import LinuxKernel
import Netlink
import NetworkAddresses

/// The way to the peer: what the kernel's tables say, or the user.
struct PeerPath {
    /// What the user has set instead of looking it up.
    struct Overrides: Sendable {
        var source: IPAddress?
        var nextHop: IPAddress?
        var macAddress: MACAddress?
    }

    var source: IPAddress
    var nextHop: IPAddress
    /// Zero over an ordinary socket, which needs none.
    var macAddress: MACAddress
    /// The route's own MTU.
    var mtu: Int?
    /// The neighbour entry was made on our behalf, so it is ours to take away again.
    var createdNeighbour = false

    /// Looks the way up, and has the kernel find out the next hop's MAC address where it is not known.
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
            // The entry that the kernel made for the question is ours to take away, answered or not.
            if case .noAnswer(_, interface: _, existedBefore: false) = error {
                path.createdNeighbour = true
                path.removeNeighbour(on: interface)
            }
            throw .noRoute("\(error) `--mac ADDRESS` names its address by hand.")
        }
        path.macAddress = resolution.macAddress
        path.createdNeighbour = !resolution.existedBefore
        return path
    }

    /// The way to a station on the same link, without IP: no route and no neighbour is asked for.
    static func direct(to station: MACAddress, on interface: Interface) throws(ProbeError) -> PeerPath {
        guard station != interface.macAddress else {
            throw .usage("\(station) is the address of \(interface.name) itself: name the peer's.")
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
                // With both ends named by hand no route is needed.
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

    /// Where frames to the peer go now; `nil` where the tables do not say.
    static func currentMAC(
        _ peer: IPAddress, on interface: Interface, overrides: Overrides, _ connection: NetlinkConnection
    ) -> MACAddress? {
        guard let found = try? NextHop.resolve(peer: peer, on: interface, connection: connection) else { return nil }
        var neighbour = found.neighbour
        if let nextHop = overrides.nextHop {
            neighbour = (try? connection.neighbour(nextHop, on: interface.index)) ?? nil
        }
        guard let neighbour, neighbour.isUsable else { return nil }
        return neighbour.macAddress
    }

    /// Has the kernel look whether the next hop is still where it was.
    static func remind(
        _ peer: IPAddress, on interface: Interface, overrides: Overrides, _ connection: NetlinkConnection
    ) {
        guard let found = try? NextHop.resolve(peer: peer, on: interface, connection: connection),
            let resolver = try? NeighbourResolver(for: overrides.nextHop ?? found.nextHop, on: interface)
        else { return }
        try? resolver.revalidate()
    }

    /// Takes away the neighbour entry that was made on our behalf, as far as we may.
    func removeNeighbour(on interface: Interface) {
        guard createdNeighbour, Host.has(.networkAdministration), let connection = try? NetlinkConnection() else {
            return
        }
        _ = try? connection.deleteNeighbour(nextHop, on: interface.index)
    }
}
