import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// The kernel itself, in network namespaces of the test's own.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveRouteTests {
    @Test func `a route through a gateway has it, its source and its MTU`() throws {
        let network = try LiveNetwork("ip -n $here route add 198.51.100.0/24 via 192.0.2.2 mtu 1400")
        let expected = Route(
            kind: .unicast, interfaceIndex: network.interface.index, gateway: address("192.0.2.2"),
            preferredSource: address("192.0.2.1"), mtu: 1400)
        #expect(try network.connection.route(to: address("198.51.100.7")) == expected)
        #expect(
            try network.connection.route(to: address("198.51.100.7"), through: network.interface.index) == expected)
    }

    @Test func `an IPv6 route through a gateway`() throws {
        let network = try LiveNetwork("ip -n $here route add 2001:db8:1::/64 via fe80::2 dev near0")
        let route = try network.connection.route(to: address("2001:db8:1::7"), through: network.interface.index)
        #expect(route.gateway == address("fe80::2"))
        #expect(route.preferredSource == address("2001:db8::1"))
    }

    @Test func `an IPv4 route through an IPv6 gateway`() throws {
        let network = try LiveNetwork("ip -n $here route add 198.51.100.0/24 via inet6 2001:db8::2 dev near0")
        let route = try network.connection.route(to: address("198.51.100.7"), through: network.interface.index)
        #expect(route.gateway == address("2001:db8::2"))
        #expect(route.preferredSource == address("192.0.2.1"))
    }

    @Test(arguments: [("192.0.2.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1"), ("fe80::2", "fe80::1")])
    func `a destination on the link has no gateway`(peer: String, source: String) throws {
        let network = try LiveNetwork()
        let route = try network.connection.route(to: address(peer), through: network.interface.index)
        #expect(
            route
                == Route(
                    kind: .unicast, interfaceIndex: network.interface.index, preferredSource: address(source)))
    }

    @Test(arguments: ["203.0.113.1", "2001:db8:9::1"])
    func `without a route there is none, asked for an interface or not`(peer: String) throws {
        let network = try LiveNetwork()
        let free = #expect(throws: NetlinkError.self) { try network.connection.route(to: address(peer)) }
        #expect(free?.code == ENETUNREACH)
        // IPv4 would take the peer as on the link here.
        let through = #expect(throws: NetlinkError.self) {
            try network.connection.route(to: address(peer), through: network.interface.index)
        }
        #expect(through?.code == EHOSTUNREACH || through?.code == ENETUNREACH)
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1", "127.0.0.1"]) func `an own address is local`(own: String) throws {
        let network = try LiveNetwork()
        #expect(try network.connection.route(to: address(own)).kind == .local)
    }

    @Test func `an interface's addresses come with prefix and scope`() throws {
        let network = try LiveNetwork("ip -n $here addr add 192.0.2.3/32 dev near0")
        let found = try network.connection.addresses(on: network.interface.index)
        let texts = found.map { "\($0.address)/\($0.prefixLength) \($0.scope)" }.sorted()
        #expect(
            texts == [
                "192.0.2.1/24 global", "192.0.2.3/32 global", "2001:db8::1/64 global", "fe80::1/64 link",
            ])
    }

    @Test func `a tentative address is reported`() throws {
        // A link without carrier never ends its duplicate address detection.
        let network = try LiveNetwork(
            """
            ip -n $there link set far0 down
            ip netns exec $here sh -c 'echo 1 >/proc/sys/net/ipv6/conf/near0/accept_dad'
            ip -n $here addr add 2001:db8:5::1/64 dev near0
            """)
        let found = try network.connection.addresses(on: network.interface.index)
        #expect(found.filter(\.isTentative).map(\.address) == [address("2001:db8:5::1")])
    }

    @Test func `addresses of an interface that does not exist are an error or none`() throws {
        let network = try LiveNetwork()
        let found = Result { () throws(NetlinkError) in try network.connection.addresses(on: 9999) }
        switch found {
        case .success(let addresses): #expect(addresses.isEmpty)
        case .failure(let error): #expect(error.code == ENODEV)
        }
    }

    @Test func `a link has its name and carrier`() throws {
        let network = try LiveNetwork()
        let up = try network.connection.link(network.interface.index)
        #expect(up.name == "near0")
        #expect(up.isUp && up.hasCarrier)
        try network.shell("ip -n $there link set far0 down")
        let lost = try network.connection.link(network.interface.index)
        #expect(lost.isUp && !lost.hasCarrier)
        let error = #expect(throws: NetlinkError.self) { try network.connection.link(9999) }
        #expect(error?.code == ENODEV)
    }

    @Test func `the kernel's own words come through`() throws {
        let network = try LiveNetwork()
        let error = #expect(throws: NetlinkError.self) {
            try network.connection.neighbour(address("192.0.2.2"), on: 0)
        }
        #expect(error?.code == EINVAL)
        #expect(error?.kernelMessage == "No device specified")
    }

    @Test func `requests and dumps follow each other on one connection`() throws {
        let network = try LiveNetwork()
        for _ in 0..<50 {
            #expect(try network.connection.addresses(on: network.interface.index).count == 3)
            #expect(try network.connection.route(to: address("192.0.2.2")).kind == .unicast)
        }
    }
}
