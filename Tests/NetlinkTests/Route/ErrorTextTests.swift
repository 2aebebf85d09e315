import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// What the user reads: the reason and what to do.
@Suite struct ErrorTextTests {
    private let v4 = IPAddress.v4(0xC000_0202)
    private let v6 = IPAddress.v6(0x2001_0db8 << 96 | 2)

    @Test func `a missing route names the command that shows and adds one`() {
        #expect(
            NextHopError.noRoute(v4, interface: "eth0", kind: nil).description
                == "there is no route to 192.0.2.2 through eth0: `ip route get 192.0.2.2 oif eth0` shows what the "
                + "kernel finds, `ip route add` adds one.")
        #expect(NextHopError.noRoute(v6, interface: "eth0", kind: nil).description.contains("`ip -6 route add`"))
    }

    @Test func `a route that refuses is called by its kind`() {
        let texts = [Route.Kind.blackhole, .prohibit, .unreachable].map {
            NextHopError.noRoute(v4, interface: "eth0", kind: $0).description
        }
        #expect(texts[0].hasPrefix("a blackhole route swallows packets to 192.0.2.2:"))
        #expect(texts[1].hasPrefix("a route prohibits packets to 192.0.2.2:"))
        #expect(texts[2].hasPrefix("a route makes 192.0.2.2 unreachable:"))
    }

    @Test func `another interface is named`() {
        #expect(
            NextHopError.leavesByAnotherInterface(v4, asked: "eth0", actual: "eth1").description
                == "the route to 192.0.2.2 leaves by eth1, not by eth0: use eth1, or add a route through eth0 with "
                + "`ip route add`.")
    }

    @Test func `interface and address faults name their commands`() {
        #expect(NextHopError.interfaceDown("eth0").description.contains("`ip link set eth0 up`"))
        #expect(NextHopError.noCarrier("eth0").description.contains("`ip link show eth0`"))
        #expect(NextHopError.localAddress(v4).description.contains("192.0.2.2 is an address of this host"))
        #expect(NextHopError.notUnicast(v4).description.contains("unicast"))
        #expect(
            NextHopError.noSourceAddress(v6, interface: "eth0", isTentative: false).description
                .contains("no IPv6 address to send to 2001:db8::2 from"))
        #expect(
            NextHopError.noSourceAddress(v6, interface: "eth0", isTentative: true).description
                .contains("duplicate address detection"))
    }

    @Test func `a silent neighbour is asked after by its family's name`() {
        #expect(
            NeighbourError.noAnswer(v4, interface: "eth0", existedBefore: false).description
                == "no answer to ARP from 192.0.2.2 on eth0: is the peer up, and on this link? "
                + "`ip neigh show dev eth0` shows what the kernel knows.")
        #expect(
            NeighbourError.noAnswer(v6, interface: "eth0", existedBefore: false).description
                .hasPrefix("no answer to neighbour solicitation from 2001:db8::2"))
    }

    @Test func `errors within errors keep their text`() {
        let netlink = NetlinkError("look the route up", .refused(EBUSY))
        #expect(NextHopError.netlink(netlink).description == "look the route up: Device or resource busy")
        #expect(NeighbourError.netlink(netlink).description == netlink.description)
        let socket = NetlinkError("ask", .socket(SystemError("send the request", code: ENOBUFS)))
        #expect(socket.description == "ask: send the request: No buffer space available")
        #expect(socket.code == ENOBUFS)
    }

    @Test func `every malformation has its own text`() {
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
