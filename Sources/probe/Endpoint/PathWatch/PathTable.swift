import Netlink
import NetworkAddresses

/// The next hops of a run's peers, and the MAC address of each, as the kernel's tables had them last.
///
/// A peer keeps its last next hop while it has no route, and its last MAC address while the next hop's neighbour entry
/// is not usable.
struct PathTable {
    /// Receives the index of a peer and its new MAC address.
    typealias Report = (Int, MACAddress) -> Void

    private struct Peer {
        var nextHop: IPAddress?
        /// The MAC address that was reported last.
        var macAddress: MACAddress?
    }

    private struct Hop {
        var peers: [Int] = []
        /// The MAC address; nil while the neighbour entry is missing or not usable.
        var macAddress: MACAddress?
    }

    private var peers: [Peer]
    private var hops: [IPAddress: Hop] = [:]

    /// A table of peers without next hops.
    init(peers count: Int) { peers = Array(repeating: Peer(), count: count) }

    /// The next hops of all peers.
    var nextHops: [IPAddress] { Array(hops.keys) }

    /// The next hops to which frames cannot be addressed.
    var unusableHops: [IPAddress] { hops.compactMap { $0.value.macAddress == nil ? $0.key : nil } }

    /// Sets a peer's next hop, and reports its MAC address if that is known and new.
    ///
    /// - Returns: true if no peer had this next hop before: look its neighbour entry up.
    mutating func move(_ index: Int, to nextHop: IPAddress, _ report: Report) -> Bool {
        let old = peers[index].nextHop
        guard old != nextHop else { return false }
        if let old { leave(old, index) }
        peers[index].nextHop = nextHop
        let isNew = hops[nextHop] == nil
        hops[nextHop, default: Hop()].peers.append(index)
        if let macAddress = hops[nextHop]?.macAddress { set(macAddress, index, report) }
        return isNew
    }

    /// Updates a next hop from its neighbour entry, nil if there is none, and reports the MAC address to the peers to
    /// which it is new. Does nothing for other neighbours.
    ///
    /// - Returns: true if frames could be addressed to the next hop before, and now cannot.
    mutating func update(_ address: IPAddress, to neighbour: Neighbour?, _ report: Report) -> Bool {
        guard let hop = hops[address] else { return false }
        let macAddress = neighbour.flatMap { $0.isUsable ? $0.macAddress : nil }
        guard macAddress != hop.macAddress else { return false }
        hops[address]?.macAddress = macAddress
        guard let macAddress else { return true }
        for index in hop.peers { set(macAddress, index, report) }
        return false
    }

    private mutating func set(_ macAddress: MACAddress, _ index: Int, _ report: Report) {
        guard peers[index].macAddress != macAddress else { return }
        peers[index].macAddress = macAddress
        report(index, macAddress)
    }

    private mutating func leave(_ nextHop: IPAddress, _ index: Int) {
        hops[nextHop]?.peers.removeAll { $0 == index }
        if hops[nextHop]?.peers.isEmpty == true { hops[nextHop] = nil }
    }
}
