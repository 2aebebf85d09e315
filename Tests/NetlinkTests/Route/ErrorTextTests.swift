import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// The error messages: reason and remedy.
@Suite struct ErrorTextTests {
    private let v4 = IPAddress.v4(0xC000_0202)
    private let v6 = IPAddress.v6(0x2001_0db8 << 96 | 2)

    @Test func `A missing route names the commands that show and add one`() {
        #expect(
            NextHopError.noRoute(v4, interface: "eth0", kind: nil).description
                == "no route to 192.0.2.2 through eth0. `ip route get 192.0.2.2 oif eth0` shows the kernel's choice; "
                + "add a route with `ip route add`.")
        #expect(NextHopError.noRoute(v6, interface: "eth0", kind: nil).description.contains("`ip -6 route add`"))
    }

    @Test func `A rejecting route is described by its kind`() {
        let texts = [Route.Kind.blackhole, .prohibit, .unreachable].map {
            NextHopError.noRoute(v4, interface: "eth0", kind: $0).description
        }
        #expect(texts[0].hasPrefix("a blackhole route discards packets to 192.0.2.2."))
        #expect(texts[1].hasPrefix("a route prohibits packets to 192.0.2.2."))
        #expect(texts[2].hasPrefix("a route makes 192.0.2.2 unreachable."))
    }

    @Test func `A route through another interface names both interfaces`() {
        #expect(
            NextHopError.leavesByAnotherInterface(v4, asked: "eth0", actual: "eth1").description
                == "the route to 192.0.2.2 uses eth1, not eth0. Use eth1, or add a route through eth0 with "
                + "`ip route add`.")
    }

    @Test func `Errors of interfaces and addresses name the commands that help`() {
        #expect(NextHopError.interfaceDown("eth0").description.contains("`ip link set eth0 up`"))
        #expect(NextHopError.noCarrier("eth0").description.contains("`ip link show eth0`"))
        #expect(NextHopError.localAddress(v4).description.contains("192.0.2.2 is an address of this host"))
        #expect(NextHopError.notUnicast(v4).description.contains("unicast"))
        #expect(
            NextHopError.noSourceAddress(v6, interface: "eth0", isTentative: false).description
                .hasPrefix("no IPv6 source address for packets to 2001:db8::2. Add one to eth0 with `ip addr add`"))
        #expect(
            NextHopError.noSourceAddress(v6, interface: "eth0", isTentative: true).description
                .contains("duplicate address detection"))
    }

    @Test func `A neighbour that does not answer is reported with its protocol`() {
        #expect(
            NeighbourError.noAnswer(v4, interface: "eth0", existedBefore: false).description
                == "no answer to ARP from 192.0.2.2 on eth0: check that the peer is up and on this link. "
                + "`ip neigh show dev eth0` shows its entry.")
        #expect(
            NeighbourError.noAnswer(v6, interface: "eth0", existedBefore: false).description
                .hasPrefix("no answer to neighbour solicitation from 2001:db8::2"))
    }

    @Test func `Wrapped errors keep their text`() {
        let netlink = NetlinkError("look up the route", .refused(EBUSY))
        #expect(NextHopError.netlink(netlink).description == "look up the route: Device or resource busy")
        #expect(NeighbourError.netlink(netlink).description == netlink.description)
        let socket = NetlinkError("ask", .socket(SystemError("send the request", code: ENOBUFS)))
        #expect(socket.description == "ask: send the request: No buffer space available")
        #expect(socket.code == ENOBUFS)
    }

    @Test func `Every format error has a distinct text`() {
        let all: [NetlinkFormatError] = [
            .cutMessageHeader(bytes: 1), .messageLength(1, available: 2), .cutFixedHeader(bytes: 1, needed: 2),
            .cutAttributeHeader(bytes: 1), .attributeLength(type: 1, length: 2, available: 3),
            .attributeSize(type: 1, bytes: 2), .missingAttribute(type: 1), .attributeTooLong(type: 1, bytes: 2),
        ]
        #expect(Set(all.map(\.description)).count == all.count)
        #expect(
            NetlinkError("ask", .malformed(.missingAttribute(type: 3))).description
                == "ask: malformed message: attribute 3 is missing")
    }
}
