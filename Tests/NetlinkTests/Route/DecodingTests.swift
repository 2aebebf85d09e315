import CLinux
import Glibc
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct RouteDecodingTests {
    private func route(_ datagram: [UInt8]) throws -> Route? {
        try decodeAll(datagram) { message throws(NetlinkFormatError) in try Route(message) }.first
    }

    @Test func `A destination on the link has no gateway`() throws {
        #expect(
            try route(Captured.routeOnLink)
                == Route(kind: .unicast, interfaceIndex: 2, preferredSource: IPAddress("192.0.2.1")))
    }

    @Test func `A gateway and the route's MTU are decoded`() throws {
        #expect(
            try route(Captured.routeThroughGateway)
                == Route(
                    kind: .unicast, interfaceIndex: 2, gateway: IPAddress("192.0.2.2"),
                    preferredSource: IPAddress("192.0.2.1"), mtu: 1400))
    }

    @Test func `An IPv4 destination may have an IPv6 gateway`() throws {
        #expect(try route(Captured.routeThroughIPv6Gateway)?.gateway == IPAddress("2001:db8::2"))
    }

    @Test func `An IPv6 route is decoded`() throws {
        #expect(
            try route(Captured.routeThroughGatewayIPv6)
                == Route(
                    kind: .unicast, interfaceIndex: 2, gateway: IPAddress("2001:db8::2"),
                    preferredSource: IPAddress("2001:db8::1")))
    }

    @Test func `A local address has a route of kind local`() throws {
        #expect(try route(Captured.routeLocal)?.kind == .local)
    }

    @Test func `Every route type of rtnetlink has a kind`() {
        let kinds = (1...10).map { Route.Kind(rawValue: $0) }
        #expect(
            kinds == [
                .unicast, .local, .broadcast, .anycast, .multicast, .blackhole, .unreachable, .prohibit, .throw,
                .other(10),
            ])
    }

    @Test(arguments: [0, 2, 5, 7, 17, 19]) func `A gateway with the size of neither family is an error`(size: Int) {
        let via = native(UInt16(4 + size)) + native(UInt16(18)) + [UInt8](repeating: 1, count: size)
        let raw = message(type: 24, sequence: 7, payload: [UInt8](repeating: 0, count: 12) + via)
        let whole = native(UInt32(raw.count)) + raw.dropFirst(4)
        #expect(throws: NetlinkFormatError.attributeSize(type: 18, bytes: size)) { try route(whole) }
    }

    @Test func `An interface index of the wrong size is an error`() {
        let raw = message(
            type: 24, sequence: 7, payload: [UInt8](repeating: 0, count: 12) + bytes("0600 0400 0200 0000"))
        #expect(throws: NetlinkFormatError.attributeSize(type: 4, bytes: 2)) { try route(raw) }
    }

    @Test func `Another message is not a route`() throws {
        #expect(try route(Captured.neighbourStale) == nil)
    }
}

@Suite struct NeighbourDecodingTests {
    private func neighbour(_ datagram: [UInt8]) throws -> Neighbour? {
        try decodeAll(datagram) { message throws(NetlinkFormatError) in try Neighbour(message) }.first
    }

    /// The captured entry with the bytes at an offset replaced.
    private func entry(changing place: Int, to value: [UInt8]) throws -> Neighbour? {
        var raw = Captured.neighbourStale
        raw.replaceSubrange(place..<place + value.count, with: value)
        return try neighbour(raw)
    }

    @Test func `An entry is decoded`() throws {
        let found = try #require(try neighbour(Captured.neighbourStale))
        #expect(found.address == IPAddress("192.0.2.2"))
        #expect(found.interfaceIndex == 2)
        #expect(found.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(found.state == .stale)
        #expect(found.isUsable)
    }

    @Test func `An IPv6 entry is decoded`() throws {
        let found = try #require(try neighbour(Captured.neighbourPermanentIPv6))
        #expect(found.address == IPAddress("2001:db8::2"))
        #expect(found.state == .permanent)
    }

    @Test func `Every neighbour state has its name and usability`() {
        let raw: [UInt16] = [0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x03]
        let states = raw.map { NeighbourState(rawValue: $0) }
        #expect(
            states == [
                .none, .incomplete, .reachable, .stale, .delay, .probe, .failed, .noARP, .permanent, .other(3),
            ])
        #expect(states.map(\.isUsable) == [false, false, true, true, true, true, false, true, true, false])
        #expect(
            states.map(\.description) == [
                "NONE", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT", "0x3",
            ])
    }

    @Test func `An entry without a MAC address is not usable`() throws {
        // Replaces NDA_LLADDR with another attribute.
        let found = try #require(try entry(changing: 38, to: [0x63, 0]))
        #expect(found.macAddress == nil)
        #expect(!found.isUsable)
    }

    @Test func `A failed entry is not usable even with a MAC address`() throws {
        #expect(try entry(changing: 24, to: [0x20, 0])?.isUsable == false)
    }

    @Test func `An entry whose address contradicts its family is skipped`() throws {
        #expect(try entry(changing: 16, to: [10]) == nil)
    }

    @Test func `An entry without an address is skipped`() throws {
        #expect(try entry(changing: 30, to: [0x63, 0]) == nil)
    }
}

@Suite struct InterfaceAddressDecodingTests {
    private func addresses(_ datagram: [UInt8]) throws -> [InterfaceAddress] {
        try decodeAll(datagram) { message throws(NetlinkFormatError) in try InterfaceAddress(message) }
    }

    @Test func `Addresses have prefix, scope and flags`() throws {
        let found = try addresses(Captured.addresses)
        #expect(found.map(\.address.description) == ["192.0.2.1", "2001:db8::1", "fe80::ff:fe00:1"])
        #expect(found.map(\.prefixLength) == [24, 64, 64])
        #expect(found.map(\.scope) == [.global, .global, .link])
        #expect(found.map(\.interfaceIndex) == [2, 2, 2])
        #expect(found.allSatisfy { $0.flags.contains(.permanent) && !$0.isTentative && !$0.isDeprecated })
    }

    @Test func `Tentative and deprecated addresses are reported`() throws {
        var raw = Captured.addresses
        // IFA_FLAGS of the first message.
        raw[56] = 0x40
        #expect(try addresses(raw)[0].isTentative)
        raw[56] = 0x20
        #expect(try addresses(raw)[0].isDeprecated)
    }

    @Test func `On a point-to-point link the address is the local one`() throws {
        var raw = Captured.addresses
        // IFA_ADDRESS, the peer's address, is the first message's first attribute.
        raw[31] = 9
        #expect(try addresses(raw)[0].address.description == "192.0.2.1")
    }

    @Test func `Without IFA_FLAGS the header's flags apply`() throws {
        let raw = message(type: 20, sequence: 7, payload: bytes("02 18 40 00 02000000 0800 0100 c0000201"))
        #expect(try addresses(raw).first?.isTentative == true)
    }

    @Test func `A prefix longer than the address is limited to its length`() throws {
        let raw = message(type: 20, sequence: 7, payload: bytes("02 ff 40 00 02000000 0800 0100 c0000201"))
        #expect(try addresses(raw).first?.prefixLength == 32)
    }

    @Test func `Every scope is decoded`() {
        let scopes: [InterfaceAddress.Scope] = [0, 200, 253, 254, 255].map { .init(rawValue: $0) }
        #expect(scopes == [.global, .site, .link, .host, .other(255)])
    }
}

@Suite struct LinkDecodingTests {
    private func link(_ payload: String) throws -> Link? {
        try decodeAll(message(type: 16, sequence: 7, payload: bytes(payload))) { message throws(NetlinkFormatError) in
            try Link(message)
        }.first
    }

    @Test func `A link has a name, and is up with or without carrier`() throws {
        let on = try #require(try link("0000 0100 02000000 43100100 00000000 0a00 0300 7665746830 00 0000"))
        #expect(on.index == 2)
        #expect(on.name == "veth0")
        #expect(on.isUp)
        #expect(on.hasCarrier)
        let noCarrier = try #require(try link("0000 0100 02000000 03100000 00000000 0a00 0300 7665746830 00 0000"))
        #expect(noCarrier.isUp)
        #expect(!noCarrier.hasCarrier)
        #expect(try link("0000 0100 02000000 02100000 00000000 0a00 0300 7665746830 00 0000")?.isUp == false)
    }

    @Test func `A link without a name is an error`() {
        #expect(throws: NetlinkFormatError.missingAttribute(type: 3)) {
            try link("0000 0100 02000000 43100100 00000000")
        }
    }
}
