import Netlink
import NetworkAddresses
import Testing

@testable import probe

@Suite struct PathTableTests {
    private static let gateways = [IPAddress.v4(0xC000_0202), .v4(0xC000_0203), .v6(UInt128(0xFE80) << 112 | 2)]
    private static let stations = [MACAddress(rawValue: 0x02_0000_0000_02), MACAddress(rawValue: 0x02_0000_0000_03)]

    private var table = PathTable(peers: 3)
    private var reported: [String] = []

    private mutating func move(_ peer: Int, _ gateway: Int) -> Bool {
        table.move(peer, to: Self.gateways[gateway]) { reported.append("\($0) \($1[5])") }
    }

    /// Updates a gateway with an entry in a state, and a station's MAC address unless it is nil.
    private mutating func update(_ gateway: Int, _ state: NeighbourState, _ station: Int?) -> Bool {
        let entry = Neighbour(
            address: Self.gateways[gateway], interfaceIndex: 1, macAddress: station.map { Self.stations[$0] },
            state: state)
        return table.update(Self.gateways[gateway], to: entry) { reported.append("\($0) \($1[5])") }
    }

    @Test mutating func `A MAC address is reported to the peers with that next hop, and only once`() {
        #expect(move(0, 0) && !move(1, 0) && move(2, 1))
        #expect(!update(0, .reachable, 0))
        #expect(reported == ["0 2", "1 2"])
        for state in [NeighbourState.stale, .delay, .probe, .reachable, .permanent, .noARP] {
            #expect(!update(0, state, 0))
        }
        #expect(reported == ["0 2", "1 2"])
        #expect(!update(0, .stale, 1))
        #expect(reported == ["0 2", "1 2", "0 3", "1 3"])
    }

    @Test mutating func `A peer that moves gets the known MAC address of its new next hop`() {
        _ = (move(0, 0), move(1, 1))
        _ = (update(0, .reachable, 0), update(1, .reachable, 1))
        #expect(!move(0, 1))
        #expect(reported == ["0 2", "1 3", "0 3"])
        // The old next hop has no peers left, so it is not followed any more.
        #expect(!update(0, .reachable, 1))
        #expect(table.nextHops == [Self.gateways[1]])
        #expect(move(0, 0))
    }

    @Test mutating func `A next hop that fails and returns is reported only if its MAC address is another`() {
        _ = move(0, 0)
        #expect(!update(0, .incomplete, nil))
        #expect(!update(0, .reachable, 0))
        #expect(update(0, .failed, nil))
        #expect(!update(0, .failed, nil))
        #expect(table.unusableHops == [Self.gateways[0]])
        #expect(!update(0, .reachable, 0))
        #expect(reported == ["0 2"] && table.unusableHops.isEmpty)
        // A failed entry may still have its old address.
        #expect(update(0, .failed, 0))
        #expect(!update(0, .reachable, 1))
        #expect(reported == ["0 2", "0 3"])
    }

    @Test mutating func `A peer keeps its MAC address until its new next hop is usable`() {
        _ = (move(0, 0), update(0, .reachable, 0))
        #expect(move(0, 2))
        #expect(reported == ["0 2"])
        #expect(!update(2, .reachable, 0))
        // The new next hop has the same address.
        #expect(reported == ["0 2"])
        #expect(!update(2, .stale, 1))
        #expect(reported == ["0 2", "0 3"])
    }

    @Test mutating func `A peer that moves back before the new next hop is usable is not reported`() {
        _ = (move(0, 0), update(0, .reachable, 0), move(1, 0))
        #expect(move(0, 1) && !move(0, 0))
        #expect(reported == ["0 2", "1 2"])
    }

    @Test mutating func `Other neighbours are ignored`() {
        _ = move(0, 0)
        #expect(!update(1, .reachable, 1) && !update(1, .failed, nil))
        #expect(reported.isEmpty && table.nextHops == [Self.gateways[0]])
    }
}
