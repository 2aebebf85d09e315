import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// The kernel's neighbour tables, and a peer that answers or not.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveNeighbourTests {
    @Test(arguments: ["192.0.2.2", "2001:db8::2", "fe80::2"])
    func `an absent neighbour is provoked and found`(peer: String) throws {
        let network = try LiveNetwork()
        #expect(try network.connection.neighbour(address(peer), on: network.interface.index) == nil)

        let found = try network.resolver(for: address(peer)).provoke()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.neighbour.address == address(peer))
        #expect(found.neighbour.state.isUsable)
        #expect(!found.existedBefore)
        #expect(try network.connection.neighbour(address(peer), on: network.interface.index)?.isUsable == true)
    }

    @Test func `a known neighbour is given as it is`() throws {
        let network = try LiveNetwork(
            "ip -n $here neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev near0 nud permanent")
        let found = try network.resolver(for: address("192.0.2.7")).provoke()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:07"))
        #expect(found.existedBefore)
    }

    @Test func `a failed entry is asked for again`() throws {
        let network = try LiveNetwork("ip -n $here neigh add 192.0.2.2 dev near0 nud failed")
        let found = try network.resolver(for: address("192.0.2.2")).provoke()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.existedBefore)
    }

    @Test(arguments: ["192.0.2.9", "2001:db8::9"])
    func `no answer is an error within the time, and leaves an entry behind`(peer: String) throws {
        let network = try LiveNetwork()
        let resolver = try network.resolver(for: address(peer))
        let start = ClockID.monotonic.now()
        #expect(throws: NeighbourError.noAnswer(address(peer), interface: "near0", existedBefore: false)) {
            try resolver.provoke(timeout: 200_000_000)
        }
        let duration = ClockID.monotonic.now() - start
        #expect(duration >= 200_000_000)
        #expect(duration < 2_000_000_000)
        #expect(throws: NeighbourError.noAnswer(address(peer), interface: "near0", existedBefore: true)) {
            try resolver.provoke(timeout: 1_000_000)
        }
    }

    @Test func `when the kernel gives up the wait ends`() throws {
        let network = try LiveNetwork(
            "ip netns exec $here sh -c 'echo 20 >/proc/sys/net/ipv4/neigh/near0/retrans_time_ms'")
        let resolver = try network.resolver(for: address("192.0.2.9"))
        let start = ClockID.monotonic.now()
        #expect(throws: NeighbourError.noAnswer(address("192.0.2.9"), interface: "near0", existedBefore: false)) {
            try resolver.provoke(timeout: 60_000_000_000)
        }
        #expect(ClockID.monotonic.now() - start < 20_000_000_000)
    }

    @Test func `a neighbour that answers late is heard without asking again`() throws {
        let network = try LiveNetwork("ip -n $there link set far0 arp off")
        let resolver = try network.resolver(for: address("192.0.2.2"))
        #expect(throws: NeighbourError.self) { try resolver.provoke(timeout: 50_000_000) }
        try network.shell("ip -n $there link set far0 arp on")
        // The kernel asks three times, a second apart.
        #expect(try resolver.provoke(timeout: 5_000_000_000).macAddress == MACAddress("02:00:00:00:00:02"))
    }

    @Test func `what was provoked can be deleted, once`() throws {
        let network = try LiveNetwork()
        let peer = address("192.0.2.2")
        _ = try network.resolver(for: peer).provoke()
        #expect(try network.connection.deleteNeighbour(peer, on: network.interface.index))
        #expect(try network.connection.neighbour(peer, on: network.interface.index) == nil)
        #expect(try !network.connection.deleteNeighbour(peer, on: network.interface.index))
    }

    @Test func `a next hop that was provoked is found with its neighbour`() throws {
        let network = try LiveNetwork("ip -n $here route add 2001:db8:1::/64 via 2001:db8::2")
        let peer = address("2001:db8:1::7")
        let before = try NextHop.resolve(peer: peer, on: network.interface, connection: network.connection)
        #expect(before.neighbour?.isUsable != true)
        _ = try network.resolver(for: before.nextHop).provoke()
        let after = try NextHop.resolve(peer: peer, on: network.interface, connection: network.connection)
        #expect(after.neighbour?.macAddress == MACAddress("02:00:00:00:00:02"))
    }

    @Test func `a resolver for an interface that does not exist is an error`() throws {
        let network = try LiveNetwork()
        var gone = network.interface
        gone.name = "gone0"
        #expect(throws: SystemError.self) {
            try NetworkNamespace.enter(network.name) { () throws(SystemError) in
                try NeighbourResolver(for: address("192.0.2.2"), on: gone)
            }
        }
    }
}
