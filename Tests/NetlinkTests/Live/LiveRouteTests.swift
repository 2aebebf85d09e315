import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// Tests against the kernel, in network namespaces that the tests create.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveRouteTests {
    @Test func `A route through a gateway has gateway, source and MTU`() throws {
        let network = try LiveNetwork("ip -n $here route add 198.51.100.0/24 via 192.0.2.2 mtu 1400")
        let expected = Route(
            kind: .unicast, interfaceIndex: network.interface.index, gateway: address("192.0.2.2"),
            preferredSource: address("192.0.2.1"), mtu: 1400)
        #expect(try network.connection.route(to: address("198.51.100.7")) == expected)
        #expect(
            try network.connection.route(to: address("198.51.100.7"), through: network.interface.index) == expected)
    }

    @Test func `An IPv6 route through a gateway has gateway and source`() throws {
        let network = try LiveNetwork("ip -n $here route add 2001:db8:1::/64 via fe80::2 dev near0")
        let route = try network.connection.route(to: address("2001:db8:1::7"), through: network.interface.index)
        #expect(route.gateway == address("fe80::2"))
        #expect(route.preferredSource == address("2001:db8::1"))
    }

    @Test func `An IPv4 route may have an IPv6 gateway`() throws {
        let network = try LiveNetwork("ip -n $here route add 198.51.100.0/24 via inet6 2001:db8::2 dev near0")
        let route = try network.connection.route(to: address("198.51.100.7"), through: network.interface.index)
        #expect(route.gateway == address("2001:db8::2"))
        #expect(route.preferredSource == address("192.0.2.1"))
    }

    @Test(arguments: [("192.0.2.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1"), ("fe80::2", "fe80::1")])
    func `A destination on the link has no gateway`(peer: String, source: String) throws {
        let network = try LiveNetwork()
        let route = try network.connection.route(to: address(peer), through: network.interface.index)
        #expect(
            route
                == Route(
                    kind: .unicast, interfaceIndex: network.interface.index, preferredSource: address(source)))
    }

    @Test(arguments: ["203.0.113.1", "2001:db8:9::1"])
    func `A missing route is an error, with an interface or without`(peer: String) throws {
        let network = try LiveNetwork()
        let anyInterface = #expect(throws: NetlinkError.self) { try network.connection.route(to: address(peer)) }
        #expect(anyInterface?.code == ENETUNREACH)
        // The ordinary IPv4 lookup would treat the peer as on the link.
        let through = #expect(throws: NetlinkError.self) {
            try network.connection.route(to: address(peer), through: network.interface.index)
        }
        #expect(through?.code == EHOSTUNREACH || through?.code == ENETUNREACH)
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1", "127.0.0.1"]) func `A local address has a route of kind local`(
        local: String
    ) throws {
        let network = try LiveNetwork()
        #expect(try network.connection.route(to: address(local)).kind == .local)
    }

    @Test func `An interface's addresses have prefix and scope`() throws {
        let network = try LiveNetwork("ip -n $here addr add 192.0.2.3/32 dev near0")
        let found = try network.connection.addresses(on: network.interface.index)
        let texts = found.map { "\($0.address)/\($0.prefixLength) \($0.scope)" }.sorted()
        #expect(
            texts == [
                "192.0.2.1/24 global", "192.0.2.3/32 global", "2001:db8::1/64 global", "fe80::1/64 link",
            ])
    }

    @Test func `A tentative address is reported`() throws {
        // Without carrier, duplicate address detection never ends.
        let network = try LiveNetwork(
            """
            ip -n $there link set far0 down
            ip netns exec $here sh -c 'echo 1 >/proc/sys/net/ipv6/conf/near0/accept_dad'
            ip -n $here addr add 2001:db8:5::1/64 dev near0
            """)
        let found = try network.connection.addresses(on: network.interface.index)
        #expect(found.filter(\.isTentative).map(\.address) == [address("2001:db8:5::1")])
    }

    @Test func `Addresses of a missing interface are an error or an empty list`() throws {
        let network = try LiveNetwork()
        let found = Result { () throws(NetlinkError) in try network.connection.addresses(on: 9999) }
        switch found {
        case .success(let addresses): #expect(addresses.isEmpty)
        case .failure(let error): #expect(error.code == ENODEV)
        }
    }

    @Test func `A link has its name and carrier`() throws {
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

    @Test func `The kernel's explanation is reported`() throws {
        let network = try LiveNetwork()
        let error = #expect(throws: NetlinkError.self) {
            try network.connection.neighbour(address("192.0.2.2"), on: 0)
        }
        #expect(error?.code == EINVAL)
        #expect(error?.kernelMessage == "No device specified")
    }

    @Test func `Requests and dumps alternate on one connection`() throws {
        let network = try LiveNetwork()
        for _ in 0..<50 {
            #expect(try network.connection.addresses(on: network.interface.index).count == 3)
            #expect(try network.connection.route(to: address("192.0.2.2")).kind == .unicast)
        }
    }
}
