import CLinux
import LinuxKernel
import Netlink
import NetworkAddresses
import Synchronization
import Testing

@testable import probe

/// Tests of the interface's state, of many changes at a time, and of lost notifications.
@Suite(.enabled(if: PathNetwork.isPossible, PathNetwork.comment)) struct PathWatchLoadLiveTests {
    @Test func `The interface's addresses are reported when one is added or removed`() async throws {
        let network = try PathNetwork()
        let added = try #require(IPAddress("192.0.2.7"))
        let addedIPv6 = try #require(IPAddress("2001:db8::7"))
        let result = try await network.watch { _, recorder in
            try await recorder.wait("the addresses") { !$0.addresses.isEmpty }
            let before = try #require(recorder.current.addresses.last)
            #expect(Set(before.map(\.description)) == ["192.0.2.1", "2001:db8::1", "fe80::1"])
            try await recorder.settle()
            try network.shell("ip -n $here addr add 192.0.2.7/24 dev near0")
            try await recorder.wait("the new address") { $0.addresses.last?.contains(added) == true }
            try await recorder.settle()
            try network.shell("ip -n $here addr add 2001:db8::7/64 dev near0 nodad")
            try await recorder.wait("the IPv6 address") { $0.addresses.last?.contains(addedIPv6) == true }
            try network.shell(
                "ip -n $here addr del 192.0.2.7/24 dev near0; ip -n $here addr del 2001:db8::7/64 dev near0")
            try await recorder.wait("their end") { $0.addresses.last == before }
            // An address of another interface changes nothing.
            let count = recorder.current.addresses.count
            try network.shell("ip -n $here addr add 198.51.100.1/32 dev lo; ip -n $here addr flush dev near0")
            try await recorder.wait("no addresses") { $0.addresses.last == [] }
            #expect(recorder.current.addresses[count...].allSatisfy { !$0.contains(IPAddress("198.51.100.1")!) })
        }
        #expect(result.lookups == 0 && result.failure == nil)
    }

    @Test func `The link's state is reported once for each change, and its deletion`() async throws {
        let network = try PathNetwork()
        let result = try await network.watch { _, recorder in
            let first = try #require(recorder.current.links.last ?? nil)
            #expect(first.isUp && first.hasCarrier && first.mtu == 1500 && first.macAddress == station(1))
            try await recorder.settle()
            try network.shell("ip -n $here link set near0 mtu 1400")
            try await recorder.wait("the MTU") { $0.links.last??.mtu == 1400 }
            try network.shell("ip -n $here link set near0 mtu 1400; ip -n $there link set far0 down")
            try await recorder.wait("the lost carrier") { $0.links.last??.hasCarrier == false }
            try network.shell("ip -n $here link set near0 down")
            try await recorder.wait("the end of the link") { $0.links.last??.isUp == false }
            let links = recorder.current.links
            #expect(zip(links, links.dropFirst()).allSatisfy { $0 != $1 })
            try network.shell("ip -n $here link del near0")
            try await recorder.wait("the deletion") { $0.links.last == .some(nil) }
        }
        #expect(result.failure == nil)
    }

    @Test func `An interface that moves to another namespace is reported as deleted`() async throws {
        let network = try PathNetwork()
        _ = try await network.watch { _, recorder in
            try network.shell("ip -n $here link set near0 netns $there")
            try await recorder.wait("the deletion") { $0.links.last == .some(nil) }
        }
    }

    @Test func `Flapping routes cost a bounded number of lookups, and the last route is followed`() async throws {
        let network = try PathNetwork("ip -n $here route add 198.51.100.0/24 via 192.0.2.9")
        try network.setNeighbour("192.0.2.9", 0x19)
        try network.setNeighbour("192.0.2.8", 0x18)
        let peers = (1...50).map { pathPeer("198.51.100.\($0)") }
        let start = ClockID.monotonic.now()
        let result = try await network.watch(peers) { _, recorder in
            try await recorder.wait("all peers") { $0.hops.count == 50 }
            try network.shell(
                """
                for n in $(seq 0 999); do
                    echo "route add 203.0.$((n / 250)).$((n % 250))/32 via 192.0.2.9"
                    echo "route del 203.0.$((n / 250)).$((n % 250))/32 via 192.0.2.9"
                done | ip -n $here -batch -
                ip -n $here route replace 198.51.100.0/24 via 192.0.2.8
                """)
            try await recorder.wait("the last route") { state in (0..<50).allSatisfy { state.mac($0) == station(0x18) }
            }
            // Neighbours are not delayed by routes.
            try network.setNeighbour("192.0.2.8", 0x28)
            try await recorder.wait(for: 49, 0x28)
        }
        let elapsed = ClockID.monotonic.now() - start
        #expect(Int64(result.refreshes) <= elapsed / 100_000_000 + 2)
        #expect(result.lookups == result.refreshes * 50)
        #expect(result.losses == 0 && result.failure == nil)
    }

    @Test func `After lost notifications every table is read again`() async throws {
        let network = try PathNetwork()
        try network.setNeighbour("192.0.2.9", 0x10)
        // The watch's thread waits within the report of the second MAC address, until the buffer has overflowed.
        let release = try StopSignal()
        let recorder = PathRecorder { hop in if hop.mac == station(0x11) { release.wait(10_000_000_000) } }
        let result = try await network.watch([pathPeer("192.0.2.9")], receiveBuffer: 4096, recorder) { _, recorder in
            try await recorder.wait(for: 0, 0x10)
            try network.setNeighbour("192.0.2.9", 0x11)
            try await recorder.wait(for: 0, 0x11)
            for number in 10...109 { try network.setNeighbour("192.0.2.\(number)", 0x40) }
            try network.setNeighbour("192.0.2.9", 0x12)
            try network.shell("ip -n $here link set near0 mtu 1400; ip -n $here addr add 192.0.2.7/24 dev near0")
            release.raise()
            try await recorder.wait(for: 0, 0x12)
            try await recorder.wait("the MTU and the address") {
                $0.links.last??.mtu == 1400 && $0.addresses.last?.contains(IPAddress("192.0.2.7")!) == true
            }
        }
        #expect(result.losses >= 1 && result.failure == nil)
    }

    @Test func `A thousand peers are followed, directly or behind a gateway`() async throws {
        let network = try PathNetwork("ip -n $here route add 10.0.0.0/8 via 192.0.2.9")
        try network.setNeighbour("192.0.2.9", 0x19)
        let peers = (0..<1000).map { pathPeer("10.0.\($0 / 250).\($0 % 250 + 1)") }
        _ = try await network.watch(peers) { _, recorder in
            try await recorder.wait("all peers") { $0.hops.count == 1000 }
            let start = try network.setNeighbour("192.0.2.9", 0x29)
            try await recorder.wait("all peers again") { $0.hops.count == 2000 }
            #expect(try #require(recorder.current.times.last) - start < 100_000_000)
        }
    }
}
