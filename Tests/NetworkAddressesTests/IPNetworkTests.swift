import NetworkAddresses
import Testing

@Suite("IP networks")
struct IPNetworkTests {
    @Test("A network holds its first and last address and no neighbour of them")
    func bounds() throws {
        let network = try #require(IPNetwork("10.64.0.0/10"))
        #expect(network.contains(.v4(0x0A40_0000)))
        #expect(network.contains(.v4(0x0A7F_FFFF)))
        #expect(!network.contains(.v4(0x0A3F_FFFF)))
        #expect(!network.contains(.v4(0x0A80_0000)))
    }

    @Test("An IPv6 network holds its first and last address and no neighbour of them")
    func boundsIPv6() throws {
        let network = try #require(IPNetwork("2001:db8::/33"))
        #expect(try network.contains(#require(IPAddress("2001:db8::"))))
        #expect(try network.contains(#require(IPAddress("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"))))
        #expect(try !network.contains(#require(IPAddress("2001:db8:8000::"))))
        #expect(try !network.contains(#require(IPAddress("2001:db7:ffff::"))))
    }

    @Test("A bare address is the network of that address alone")
    func bare() throws {
        let host = try #require(IPNetwork("192.0.2.1"))
        #expect(host.prefixLength == 32)
        #expect(host.contains(.v4(0xC000_0201)))
        #expect(!host.contains(.v4(0xC000_0200)))
        #expect(IPNetwork("::1")?.prefixLength == 128)
    }

    @Test("A prefix of zero holds every address of its own family and none of the other")
    func everything() throws {
        let every = try #require(IPNetwork("0.0.0.0/0"))
        #expect(every.contains(.v4(0)) && every.contains(.v4(.max)))
        #expect(!every.contains(.v6(0)))
        let every6 = try #require(IPNetwork("::/0"))
        #expect(every6.contains(.v6(0)) && every6.contains(.v6(.max)))
        #expect(!every6.contains(.v4(0)))
    }

    @Test(
        "Bits after the prefix, and lengths that do not fit, are refused",
        arguments: [
            "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0/8",
            "2001:db8::1/64", "2001:db8::/129", "2001:db8::/1000", "::/ 8", "10.0.0.0/8 ", "128.0.0.0/0", "",
        ])
    func refused(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test("The initializer from parts refuses what the text form refuses")
    func parts() {
        #expect(IPNetwork(address: .v4(0x0A00_0001), prefixLength: 8) == nil)
        #expect(IPNetwork(address: .v4(0x0A00_0000), prefixLength: 33) == nil)
        #expect(IPNetwork(address: .v6(0), prefixLength: -1) == nil)
        #expect(IPNetwork(address: .v6(0), prefixLength: 33) != nil)
    }

    @Test("The description can be read again", arguments: ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::/0"])
    func description(text: String) {
        #expect(IPNetwork(text)?.description == text)
    }
}
