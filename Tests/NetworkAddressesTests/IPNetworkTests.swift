import NetworkAddresses
import Testing

@Suite("IP networks")
struct IPNetworkTests {
    @Test("A network contains its first and last address and none of their outer neighbours")
    func bounds() throws {
        let network = try #require(IPNetwork("10.64.0.0/10"))
        #expect(network.contains(.v4(0x0A40_0000)))
        #expect(network.contains(.v4(0x0A7F_FFFF)))
        #expect(!network.contains(.v4(0x0A3F_FFFF)))
        #expect(!network.contains(.v4(0x0A80_0000)))
    }

    @Test("An IPv6 network contains its first and last address and none of their outer neighbours")
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

    @Test("A prefix length of zero contains every address of its family and none of the other")
    func everything() throws {
        let every = try #require(IPNetwork("0.0.0.0/0"))
        #expect(every.contains(.v4(0)) && every.contains(.v4(.max)))
        #expect(!every.contains(.v6(0)))
        let every6 = try #require(IPNetwork("::/0"))
        #expect(every6.contains(.v6(0)) && every6.contains(.v6(.max)))
        #expect(!every6.contains(.v4(0)))
    }

    @Test(
        "Bits after the prefix, and lengths that do not fit, are rejected",
        arguments: [
            "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0/8",
            "2001:db8::1/64", "2001:db8::/129", "2001:db8::/1000", "::/ 8", "10.0.0.0/8 ", "128.0.0.0/0", "",
        ])
    func rejected(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test("The initializer from parts rejects the same networks as the text form")
    func parts() {
        #expect(IPNetwork(address: .v4(0x0A00_0001), prefixLength: 8) == nil)
        #expect(IPNetwork(address: .v4(0x0A00_0000), prefixLength: 33) == nil)
        #expect(IPNetwork(address: .v6(0), prefixLength: -1) == nil)
        #expect(IPNetwork(address: .v6(0), prefixLength: 33) != nil)
    }

    @Test(
        "A description parses back to its network", arguments: ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::/0"])
    func description(text: String) {
        #expect(IPNetwork(text)?.description == text)
    }
}
