import NetworkAddresses
import Testing

/// A generator with the same sequence in every run, so that a failure can be reproduced.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("IP addresses")
struct IPAddressTests {
    @Test("A dotted quad is the big-endian number of its octets")
    func quad() {
        #expect(IPAddress("192.0.2.1") == .v4(0xC000_0201))
        #expect(IPAddress("0.0.0.0") == .v4(0))
        #expect(IPAddress("255.255.255.255") == .v4(.max))
    }

    @Test(
        "Ambiguous and malformed dotted quads are rejected",
        arguments: [
            "", ".", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.00", "1.2.3.256", "1.2.3.1000",
            "1.2..4", ".1.2.3", "1.2.3.", " 1.2.3.4", "1.2.3.4 ", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4/8",
            "1.2.3.٤",
        ])
    func rejectedIPv4(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "Every form of IPv6 text parses to its number",
        arguments: [
            ("::", 0), ("::1", 1), ("1::", 1 << 112),
            ("2001:db8::1", 0x2001_0DB8_0000_0000_0000_0000_0000_0001),
            ("2001:DB8:0:0:0:0:0:1", 0x2001_0DB8_0000_0000_0000_0000_0000_0001),
            ("0001:0002:0003:0004:0005:0006:0007:0008", 0x0001_0002_0003_0004_0005_0006_0007_0008),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004_0005_0006_0007_0008),
            ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000),
            ("1:2:3:4:5:6:192.0.2.1", 0x0001_0002_0003_0004_0005_0006_C000_0201),
            ("::ffff:192.0.2.1", 0xFFFF_C000_0201), ("::192.0.2.1", 0xC000_0201),
            ("64:ff9b::192.0.2.33", 0x0064_FF9B_0000_0000_0000_0000_C000_0221),
        ] as [(String, UInt128)])
    func ipv6(text: String, value: UInt128) {
        #expect(IPAddress(text) == .v6(value))
    }

    @Test(
        "Malformed IPv6 text is rejected",
        arguments: [
            ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
            "1::2::3", "1:::2", "12345::", "g::", "fe80::1%eth0", "[::1]", "::1/64", "::1.2.3", "1.2.3.4::",
            "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", " ::1", "::1 ", "1::2:", ":1::2",
        ])
    func rejectedIPv6(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "The description is canonical (RFC 5952)",
        arguments: [
            ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:DB8::ABCD", "2001:db8::abcd"),
            ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("1:0:0:0:0:0:0:0", "1::"),
            ("0:1:1:1:1:1:1:1", "0:1:1:1:1:1:1:1"), ("0:0:1:1:1:1:1:1", "::1:1:1:1:1:1"),
            ("1:1:1:1:1:1:0:0", "1:1:1:1:1:1::"), ("1:1:1:1:1:1:1:0", "1:1:1:1:1:1:1:0"),
            ("::ffff:c000:201", "::ffff:192.0.2.1"), ("10.0.0.1", "10.0.0.1"),
        ])
    func canonical(text: String, expected: String) {
        #expect(IPAddress(text)?.description == expected)
    }

    @Test("A description parses back to its address")
    func lossless() {
        var generator = SplitMix64(state: 1)
        for _ in 0..<2000 {
            // A random mask makes runs of zero groups likely.
            var value = UInt128.random(in: 0 ... .max, using: &generator)
            for group in 0..<8 where Bool.random(using: &generator) {
                value &= ~(UInt128(0xFFFF) << UInt128(16 * group))
            }
            #expect(IPAddress(IPAddress.v6(value).description) == .v6(value))
            let quad = UInt32(truncatingIfNeeded: value)
            #expect(IPAddress(IPAddress.v4(quad).description) == .v4(quad))
        }
    }

    @Test("Multicast ends where its prefix ends")
    func multicast() {
        #expect(IPAddress("224.0.0.0")?.isMulticast == true)
        #expect(IPAddress("239.255.255.255")?.isMulticast == true)
        #expect(IPAddress("223.255.255.255")?.isMulticast == false)
        #expect(IPAddress("240.0.0.0")?.isMulticast == false)
        #expect(IPAddress("ff02::1")?.isMulticast == true)
        #expect(IPAddress("fe80::1")?.isMulticast == false)
    }

    @Test("Loopback is 127.0.0.0/8 and ::1 alone")
    func loopback() {
        #expect(IPAddress("127.255.0.1")?.isLoopback == true)
        #expect(IPAddress("128.0.0.1")?.isLoopback == false)
        #expect(IPAddress("::1")?.isLoopback == true)
        #expect(IPAddress("::2")?.isLoopback == false)
    }

    @Test("Only the all-zero address is unspecified")
    func unspecified() {
        #expect(IPAddress("0.0.0.0")?.isUnspecified == true)
        #expect(IPAddress("0.0.0.1")?.isUnspecified == false)
        #expect(IPAddress("::")?.isUnspecified == true)
        #expect(IPAddress("::1")?.isUnspecified == false)
    }

    @Test("Link-local is 169.254.0.0/16 and fe80::/10")
    func linkLocal() {
        #expect(IPAddress("169.254.1.1")?.isLinkLocal == true)
        #expect(IPAddress("169.253.1.1")?.isLinkLocal == false)
        #expect(IPAddress("fe80::1")?.isLinkLocal == true)
        #expect(IPAddress("febf::1")?.isLinkLocal == true)
        #expect(IPAddress("fec0::1")?.isLinkLocal == false)
        #expect(IPAddress("fe7f::1")?.isLinkLocal == false)
    }

    @Test("An IPv4-mapped address is IPv6")
    func family() {
        #expect(IPAddress("::ffff:192.0.2.1")?.isIPv4 == false)
        #expect(IPAddress("::ffff:192.0.2.1")?.bitWidth == 128)
        #expect(IPAddress("192.0.2.1")?.isIPv4 == true)
        #expect(IPAddress("192.0.2.1")?.bitWidth == 32)
    }
}
