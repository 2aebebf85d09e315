import NetworkAddresses
import Testing

@Suite("MAC addresses")
struct MACAddressTests {
    @Test("The first octet of the text is the most significant of the number")
    func order() {
        let address = MACAddress("02:1a:2B:3c:4d:5e")
        #expect(address?.rawValue == 0x021A_2B3C_4D5E)
        #expect((0..<6).map { address?.octet($0) } == [0x02, 0x1A, 0x2B, 0x3C, 0x4D, 0x5E])
        #expect(address?[5] == 0x5E)
    }

    @Test("Hyphens separate octets as colons do")
    func hyphens() {
        #expect(MACAddress("02-1a-2b-3c-4d-5e") == MACAddress(rawValue: 0x021A_2B3C_4D5E))
    }

    @Test("The description is lower case, with colons and leading zeros")
    func description() {
        #expect(MACAddress(rawValue: 0x000A_0B00_F00F).description == "00:0a:0b:00:f0:0f")
        #expect(MACAddress.broadcast.description == "ff:ff:ff:ff:ff:ff")
        #expect(MACAddress.zero.description == "00:00:00:00:00:00")
    }

    @Test(
        "Anything except six pairs with one kind of separator is rejected",
        arguments: [
            "", ":", "02:1a:2b:3c:4d", "02:1a:2b:3c:4d:5e:", "02:1a:2b:3c:4d:5e:6f", "2:1a:2b:3c:4d:5e",
            "02:1a-2b:3c:4d:5e", "02:1g:2b:3c:4d:5e", "021a2b3c4d5e", "02.1a.2b.3c.4d.5e", "0::1a:2b:3c:4d:5",
            " 2:1a:2b:3c:4d:5e", "02:1a:2b:3c:4d:5é",
        ])
    func rejected(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test("Only the low 48 bits are kept")
    func masked() {
        #expect(MACAddress(rawValue: .max) == .broadcast)
        #expect(MACAddress(rawValue: 1 << 48) == .zero)
    }

    @Test("The group bit is the lowest of the first octet")
    func multicast() {
        #expect(MACAddress.broadcast.isMulticast)
        #expect(MACAddress(rawValue: 0x0100_5E00_0001).isMulticast)
        #expect(!MACAddress(rawValue: 0x0200_0000_0001).isMulticast)
        #expect(!MACAddress(rawValue: 0xFE00_0000_0001).isMulticast)
    }

    @Test("An octet out of range is zero")
    func outside() {
        #expect(MACAddress.broadcast.octet(6) == 0)
        #expect(MACAddress.broadcast.octet(-1) == 0)
        #expect(MACAddress.broadcast[Int.max] == 0)
    }

    @Test("EUI-64 has FF-FE between the halves, and the link-local address also inverts a bit")
    func widened() {
        // The example of RFC 2464 section 4.
        let mac = MACAddress(rawValue: 0x3456_789A_BCDE)
        #expect(mac.eui64 == 0x3456_78FF_FE9A_BCDE)
        #expect(IPAddress.linkLocal(of: mac) == IPAddress("fe80::3656:78ff:fe9a:bcde"))
        #expect(MACAddress.broadcast.eui64 == 0xFFFF_FFFF_FEFF_FFFF)
        #expect(IPAddress.linkLocal(of: .zero) == IPAddress("fe80::200:ff:fe00:0"))
        #expect(IPAddress.linkLocal(of: mac).isLinkLocal)
    }
}
