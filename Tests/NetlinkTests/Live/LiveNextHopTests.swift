import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// Tests of resolving a peer's next hop: each success and each failure.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveNextHopTests {
    private func resolve(_ peer: String, _ network: LiveNetwork) throws(NextHopError) -> NextHop {
        try NextHop.resolve(peer: address(peer), on: network.interface, connection: network.connection)
    }

    @Test(arguments: [("192.0.2.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1"), ("fe80::2", "fe80::1")])
    func `The next hop of a peer on the link is the peer`(peer: String, source: String) throws {
        let found = try resolve(peer, LiveNetwork())
        #expect(found == NextHop(source: address(source), nextHop: address(peer)))
    }

    @Test func `A peer behind a gateway has the gateway's neighbour entry`() throws {
        let network = try LiveNetwork(
            """
            ip -n $here route add 198.51.100.0/24 via 192.0.2.2 mtu 1400
            ip -n $here neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near0 nud permanent
            """)
        let found = try resolve("198.51.100.7", network)
        #expect(found.nextHop == address("192.0.2.2"))
        #expect(found.neighbour?.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.neighbour?.state == .permanent)
        #expect(found.mtu == 1400)
    }

    @Test(arguments: ["203.0.113.1", "2001:db8:9::1"]) func `A missing route is reported`(peer: String) throws {
        let network = try LiveNetwork()
        #expect(throws: NextHopError.noRoute(address(peer), interface: "near0", kind: nil)) {
            try resolve(peer, network)
        }
    }

    @Test(arguments: [
        ("unreachable", Route.Kind.unreachable), ("prohibit", .prohibit), ("blackhole", .blackhole),
    ])
    func `A rejecting IPv4 route is reported with its kind`(word: String, kind: Route.Kind) throws {
        let network = try LiveNetwork("ip -n $here route add \(word) 203.0.113.0/24")
        #expect(throws: NextHopError.noRoute(address("203.0.113.1"), interface: "near0", kind: kind)) {
            try resolve("203.0.113.1", network)
        }
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1", "fe80::1", "127.0.0.1"])
    func `A local address is rejected as a peer`(local: String) throws {
        let network = try LiveNetwork()
        #expect(throws: NextHopError.localAddress(address(local))) { try resolve(local, network) }
    }

    @Test func `A local address of another interface is rejected as a peer`() throws {
        let network = try LiveNetwork(
            LiveNetwork.otherInterface + "ip -n $here addr add 198.51.100.1/24 dev other0")
        #expect(throws: NextHopError.localAddress(address("198.51.100.1"))) { try resolve("198.51.100.1", network) }
    }

    @Test(arguments: [("198.51.100.7", "198.51.100.1/24"), ("2001:db8:7::7", "2001:db8:7::1/64")])
    func `A route through another interface is reported with that interface`(peer: String, local: String) throws {
        let network = try LiveNetwork(
            LiveNetwork.otherInterface + "ip -n $here addr add \(local) dev other0")
        #expect(throws: NextHopError.leavesByAnotherInterface(address(peer), asked: "near0", actual: "other0")) {
            try resolve(peer, network)
        }
    }

    @Test func `Of two routes the one through the interface is used`() throws {
        let network = try LiveNetwork(
            LiveNetwork.otherInterface + "ip -n $here addr add 192.0.2.5/28 dev other0")
        #expect(try network.connection.route(to: address("192.0.2.2")).interfaceIndex != network.interface.index)
        #expect(try resolve("192.0.2.2", network).nextHop == address("192.0.2.2"))
    }

    @Test(arguments: ["224.0.0.1", "ff02::1", "0.0.0.0", "192.0.2.255", "255.255.255.255"])
    func `An address that is not unicast is rejected as a peer`(peer: String) throws {
        let network = try LiveNetwork()
        #expect(throws: NextHopError.notUnicast(address(peer))) { try resolve(peer, network) }
    }

    @Test func `An interface that is down or without carrier is reported`() throws {
        let network = try LiveNetwork("ip -n $there link set far0 down")
        #expect(throws: NextHopError.noCarrier("near0")) { try resolve("192.0.2.2", network) }
        try network.shell("ip -n $here link set near0 down")
        #expect(throws: NextHopError.interfaceDown("near0")) { try resolve("192.0.2.2", network) }
    }

    @Test func `Without an address of the family there is no source`() throws {
        let network = try LiveNetwork(
            "ip -n $here addr flush dev near0; ip -n $here route add 192.0.2.0/24 dev near0")
        #expect(throws: NextHopError.noSourceAddress(address("192.0.2.2"), interface: "near0", isTentative: false)) {
            try resolve("192.0.2.2", network)
        }
    }

    @Test func `A tentative source address is reported`() throws {
        // Detection sends dad_transmits probes, a second apart.
        let network = try LiveNetwork(
            """
            ip -n $here -6 addr flush dev near0
            ip netns exec $here sh -c 'cd /proc/sys/net/ipv6/conf/near0; echo 1 >accept_dad; echo 60 >dad_transmits'
            ip -n $here addr add fe80::9/64 dev near0
            ip -n $here route add 2001:db8::/64 dev near0
            """)
        #expect(throws: NextHopError.noSourceAddress(address("2001:db8::2"), interface: "near0", isTentative: true)) {
            try resolve("2001:db8::2", network)
        }
    }
}
