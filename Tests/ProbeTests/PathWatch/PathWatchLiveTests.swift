import CLinux
import LinuxKernel
import Netlink
import NetworkAddresses
import Synchronization
import Testing

@testable import probe

/// Tests of following neighbours and routes against the kernel.
@Suite(.enabled(if: PathNetwork.isPossible, PathNetwork.comment)) struct PathWatchLiveTests {
    /// The longest time from a change to its report, in nanoseconds.
    private static let limit: Int64 = 100_000_000

    @Test(arguments: ["192.0.2.9", "2001:db8::9", "fe80::9"])
    func `A neighbour that is replaced is reported within 100 ms`(peer: String) async throws {
        let network = try PathNetwork()
        try network.setNeighbour(peer, 0x10)
        let result = try await network.watch([pathPeer(peer)]) { _, recorder in
            try await recorder.wait(for: 0, 0x10)
            // For longer than lookups that a change causes would be put off.
            let end = ClockID.monotonic.now() + 3 * Self.limit
            var changes = 1
            while ClockID.monotonic.now() < end {
                let last: UInt64 = changes.isMultiple(of: 2) ? 0x10 : 0x11
                let start = try network.setNeighbour(peer, last)
                try await recorder.wait(for: 0, last)
                changes += 1
                #expect(try #require(recorder.current.times.last) - start < Self.limit)
            }
            #expect(recorder.current.hops.count == changes)
        }
        // One lookup at the start, and one to settle.
        #expect(result.lookups == 2 && result.failure == nil && result.losses == 0)
    }

    @Test func `The peers behind a gateway share its changes, and others do not`() async throws {
        let network = try PathNetwork(
            """
            ip -n $here route add 198.51.100.0/24 via 192.0.2.9
            ip -n $here link add other0 type veth peer name other1
            ip -n $here link set other0 up
            """)
        try network.setNeighbour("192.0.2.9", 0x10)
        try network.setNeighbour("192.0.2.8", 0x20)
        let other = network.interface.index + 2
        let peers = [
            pathPeer("198.51.100.1"), pathPeer("192.0.2.8"), pathPeer("198.51.100.2"), pathPeer("192.0.2.9"),
        ]
        _ = try await network.watch(peers) { _, recorder in
            try await recorder.wait("all peers") { $0.hops.count == 4 }
            // The same address on another interface is another neighbour.
            try network.setNeighbour("192.0.2.9", 0x30, on: other)
            try network.setNeighbour("192.0.2.9", 0x11)
            try await recorder.wait("three peers") { $0.hops.count == 7 }
            let expected = [0, 2, 3].map { PathRecorder.Hop(peer: $0, mac: station(0x11)) }
            #expect(Set(recorder.current.hops.suffix(3)) == Set(expected))
        }
    }

    @Test func `A neighbour that fails keeps its MAC address until it has another`() async throws {
        let network = try PathNetwork()
        try network.setNeighbour("192.0.2.9", 0x10, NUD_REACHABLE)
        _ = try await network.watch([pathPeer("192.0.2.9")]) { _, recorder in
            try await recorder.wait(for: 0, 0x10)
            try network.setNeighbour("192.0.2.9", 0, NUD_FAILED)
            try network.setNeighbour("192.0.2.9", 0x10, NUD_REACHABLE)
            try network.setNeighbour("192.0.2.9", 0, NUD_FAILED)
            try network.setNeighbour("192.0.2.9", 0x11, NUD_REACHABLE)
            try await recorder.wait(for: 0, 0x11)
            #expect(recorder.current.hops.map(\.mac) == [station(0x10), station(0x11)])
        }
    }

    @Test(arguments: [
        ("arp_notify", "ipv4", "192.0.2.2"), ("ndisc_notify", "ipv6", "2001:db8::2"),
        ("ndisc_notify", "ipv6", "fe80::2"),
    ])
    func `A gateway's announcement of a new MAC address is followed`(
        setting: String, family: String, gateway: String
    ) async throws {
        let network = try PathNetwork(
            """
            ip netns exec $there sh -c 'echo 1 >/proc/sys/net/\(family)/conf/far0/\(setting)'
            ip -n $here route add \(family == "ipv4" ? "198.51.100.0/24" : "2001:db8:1::/64") via \(gateway) dev near0
            """)
        let peer = pathPeer(family == "ipv4" ? "198.51.100.1" : "2001:db8:1::1")
        _ = try await network.watch([peer]) { _, recorder in
            // The gateway is not known yet; the watch has it resolved.
            try await recorder.wait(for: 0, 0x02)
            try network.shell("ip -n $there link set far0 address 02:00:00:00:00:22")
            try await recorder.wait(for: 0, 0x22)
        }
    }

    @Test func `A route that moves to another gateway is followed at once`() async throws {
        let network = try PathNetwork(
            """
            ip -n $here route add 198.51.100.0/24 via 192.0.2.9
            ip -n $here route add 2001:db8:1::/64 via fe80::9 dev near0
            """)
        for (address, last) in [("192.0.2.9", 0x19 as UInt64), ("fe80::9", 0x29)] {
            try network.setNeighbour(address, last)
        }
        let result = try await network.watch([pathPeer("198.51.100.1"), pathPeer("2001:db8:1::1")]) { _, recorder in
            try await recorder.wait(for: 0, 0x19)
            try await recorder.wait(for: 1, 0x29)
            // Known gateways first.
            try network.setNeighbour("192.0.2.8", 0x18)
            try await recorder.settle()
            try network.shell("ip -n $here route replace 198.51.100.0/24 via 192.0.2.8")
            try await recorder.wait(for: 0, 0x18)
            // Then gateways without an entry.
            try await recorder.settle()
            try network.shell("ip -n $here route replace 198.51.100.0/24 via 192.0.2.2")
            try await recorder.wait(for: 0, 0x02)
            try await recorder.settle()
            try network.shell("ip -n $here route add 2001:db8:1::/96 via fe80::2 dev near0")
            try await recorder.wait(for: 1, 0x02)
            // A removed route uncovers the one below it.
            try await recorder.settle()
            try network.shell("ip -n $here route del 2001:db8:1::/96")
            try await recorder.wait(for: 1, 0x29)
            // An IPv4 peer may have an IPv6 gateway.
            try await recorder.settle()
            try network.shell("ip -n $here route replace 198.51.100.0/24 via inet6 fe80::9 dev near0")
            try await recorder.wait(for: 0, 0x29)
        }
        #expect(result.failure == nil)
    }

    @Test func `Rules and next-hop objects move peers, too`() async throws {
        let network = try PathNetwork(
            """
            ip -n $here route add 203.0.113.0/24 via 192.0.2.9
            ip -n $here route add 203.0.113.0/24 via 192.0.2.8 table 77
            ip -n $here nexthop add id 7 via 192.0.2.9 dev near0
            ip -n $here route add 198.51.100.0/24 nhid 7
            """)
        try network.setNeighbour("192.0.2.9", 0x19)
        try network.setNeighbour("192.0.2.8", 0x18)
        _ = try await network.watch([pathPeer("203.0.113.1"), pathPeer("198.51.100.1")]) { _, recorder in
            try await recorder.wait(for: 0, 0x19)
            try await recorder.settle()
            try network.shell("ip -n $here rule add to 203.0.113.0/24 lookup 77")
            try await recorder.wait(for: 0, 0x18)
            try await recorder.wait(for: 1, 0x19)
            try await recorder.settle()
            try network.shell("ip -n $here nexthop replace id 7 via 192.0.2.8 dev near0")
            try await recorder.wait(for: 1, 0x18)
        }
    }

    @Test func `Routes that the kernel removes with their source address are followed`() async throws {
        let network = try PathNetwork(
            """
            ip -n $here addr add 192.0.2.77/32 dev near0
            ip -n $here route add 198.51.100.0/24 via 192.0.2.9 src 192.0.2.77 metric 1
            ip -n $here route add 198.51.100.0/24 via 192.0.2.8 metric 2
            """)
        try network.setNeighbour("192.0.2.9", 0x19)
        try network.setNeighbour("192.0.2.8", 0x18)
        _ = try await network.watch([pathPeer("198.51.100.1")]) { _, recorder in
            try await recorder.wait(for: 0, 0x19)
            try await recorder.settle()
            try network.shell("ip -n $here addr del 192.0.2.77/32 dev near0")
            try await recorder.wait(for: 0, 0x18)
        }
    }

    @Test func `Of two routers of a host the other is followed when one fails`() async throws {
        let network = try PathNetwork(
            "ip -n $here route add 2001:db8:1::/64 nexthop via 2001:db8::9 nexthop via 2001:db8::8")
        try network.setNeighbour("2001:db8::9", 0x19)
        try network.setNeighbour("2001:db8::8", 0x18)
        _ = try await network.watch([pathPeer("2001:db8:1::1")]) { _, recorder in
            try await recorder.wait("a router") { $0.mac(0) != nil }
            try await recorder.settle()
            let isFirst = recorder.current.mac(0) == station(0x19)
            try network.setNeighbour(isFirst ? "2001:db8::9" : "2001:db8::8", 0, NUD_FAILED)
            try await recorder.wait(for: 0, isFirst ? 0x18 : 0x19)
        }
    }

    @Test func `A peer with a next hop of the user's needs no route, and one with a MAC address is not followed`()
        async throws
    {
        let network = try PathNetwork("ip -n $here route add 198.51.100.0/24 via 192.0.2.9")
        try network.setNeighbour("192.0.2.9", 0x19)
        try network.setNeighbour("192.0.2.8", 0x18)
        let peers = [
            pathPeer("203.0.113.1", nextHop: "192.0.2.8"), pathPeer("198.51.100.1", mac: station(0x77)),
            pathPeer("198.51.100.2", nextHop: "fe80::9"),
        ]
        let result = try await network.watch(peers) { _, recorder in
            try await recorder.wait(for: 0, 0x18)
            try network.setNeighbour("192.0.2.8", 0x28)
            try await recorder.wait(for: 0, 0x28)
            try network.setNeighbour("192.0.2.9", 0x29)
            try network.setNeighbour("fe80::9", 0x39)
            try await recorder.wait(for: 2, 0x39)
            #expect(recorder.current.hops.map(\.peer) == [0, 0, 2])
        }
        #expect(result.lookups == 0)
    }

    @Test func `A silent peer's next hop is resolved again when it is reminded of`() async throws {
        let network = try PathNetwork(
            """
            ip netns exec $here sh -c 'cd /proc/sys/net/ipv4/neigh/near0; echo 0 >delay_first_probe_time
                echo 20 >retrans_time_ms; echo 1 >ucast_solicit'
            """)
        // Nothing answers at this address, so the kernel has to ask again.
        try network.setNeighbour("192.0.2.2", 0x99, NUD_STALE)
        _ = try await network.watch([pathPeer("192.0.2.2"), pathPeer("192.0.2.2")]) { watch, recorder in
            try await recorder.wait(for: 0, 0x99)
            try await recorder.wait("the new MAC address") { state in
                watch.remind([0, 1, 2, -1])
                return state.mac(0) == station(2) && state.mac(1) == station(2)
            }
        }
    }

    @Test func `A next hop that did not answer at first is resolved later`() async throws {
        let network = try PathNetwork(
            """
            ip -n $there link set far0 arp off
            ip netns exec $here sh -c 'echo 10 >/proc/sys/net/ipv4/neigh/near0/retrans_time_ms'
            """)
        _ = try await network.watch([pathPeer("192.0.2.2")], retryInterval: 50_000_000) { _, recorder in
            #expect(recorder.current.hops.isEmpty)
            try network.shell("ip -n $there link set far0 arp on")
            try await recorder.wait(for: 0, 0x02)
        }
    }
}
