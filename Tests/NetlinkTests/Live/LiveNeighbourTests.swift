import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// Tests of the kernel's neighbour tables, with a peer that answers or does not.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveNeighbourTests {
    @Test(arguments: ["192.0.2.2", "2001:db8::2", "fe80::2"])
    func `A neighbour without an entry is resolved`(peer: String) throws {
        let network = try LiveNetwork()
        #expect(try network.connection.neighbour(address(peer), on: network.interface.index) == nil)

        let found = try network.resolver(for: address(peer)).resolve()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.neighbour.address == address(peer))
        #expect(found.neighbour.state.isUsable)
        #expect(!found.existedBefore)
        #expect(try network.connection.neighbour(address(peer), on: network.interface.index)?.isUsable == true)
    }

    @Test func `A known neighbour is returned from the table`() throws {
        let network = try LiveNetwork(
            "ip -n $here neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev near0 nud permanent")
        let found = try network.resolver(for: address("192.0.2.7")).resolve()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:07"))
        #expect(found.existedBefore)
    }

    @Test func `A failed entry is resolved again`() throws {
        let network = try LiveNetwork("ip -n $here neigh add 192.0.2.2 dev near0 nud failed")
        let found = try network.resolver(for: address("192.0.2.2")).resolve()
        #expect(found.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.existedBefore)
    }

    @Test(arguments: ["192.0.2.9", "2001:db8::9"])
    func `A missing answer is an error after the timeout, and an entry remains`(peer: String) throws {
        let network = try LiveNetwork()
        let resolver = try network.resolver(for: address(peer))
        let start = ClockID.monotonic.now()
        #expect(throws: NeighbourError.noAnswer(address(peer), interface: "near0", existedBefore: false)) {
            try resolver.resolve(timeoutNanoseconds: 200_000_000)
        }
        let duration = ClockID.monotonic.now() - start
        #expect(duration >= 200_000_000)
        #expect(duration < 2_000_000_000)
        #expect(throws: NeighbourError.noAnswer(address(peer), interface: "near0", existedBefore: true)) {
            try resolver.resolve(timeoutNanoseconds: 1_000_000)
        }
    }

    @Test func `The wait ends when the kernel gives up`() throws {
        let network = try LiveNetwork(
            "ip netns exec $here sh -c 'echo 20 >/proc/sys/net/ipv4/neigh/near0/retrans_time_ms'")
        let resolver = try network.resolver(for: address("192.0.2.9"))
        let start = ClockID.monotonic.now()
        #expect(throws: NeighbourError.noAnswer(address("192.0.2.9"), interface: "near0", existedBefore: false)) {
            try resolver.resolve(timeoutNanoseconds: 60_000_000_000)
        }
        #expect(ClockID.monotonic.now() - start < 20_000_000_000)
    }

    @Test func `A neighbour that answers late is resolved`() throws {
        let network = try LiveNetwork("ip -n $there link set far0 arp off")
        let resolver = try network.resolver(for: address("192.0.2.2"))
        #expect(throws: NeighbourError.self) { try resolver.resolve(timeoutNanoseconds: 50_000_000) }
        try network.shell("ip -n $there link set far0 arp on")
        // The kernel sends three requests, a second apart.
        #expect(try resolver.resolve(timeoutNanoseconds: 5_000_000_000).macAddress == MACAddress("02:00:00:00:00:02"))
    }

    @Test func `A resolved entry can be deleted once`() throws {
        let network = try LiveNetwork()
        let peer = address("192.0.2.2")
        _ = try network.resolver(for: peer).resolve()
        #expect(try network.connection.deleteNeighbour(peer, on: network.interface.index))
        #expect(try network.connection.neighbour(peer, on: network.interface.index) == nil)
        #expect(try !network.connection.deleteNeighbour(peer, on: network.interface.index))
    }

    @Test func `A resolved next hop has its neighbour entry`() throws {
        let network = try LiveNetwork("ip -n $here route add 2001:db8:1::/64 via 2001:db8::2")
        let peer = address("2001:db8:1::7")
        let before = try NextHop.resolve(peer: peer, on: network.interface, connection: network.connection)
        #expect(before.neighbour?.isUsable != true)
        _ = try network.resolver(for: before.nextHop).resolve()
        let after = try NextHop.resolve(peer: peer, on: network.interface, connection: network.connection)
        #expect(after.neighbour?.macAddress == MACAddress("02:00:00:00:00:02"))
    }

    @Test func `A resolver for a missing interface is an error`() throws {
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
