import CLinux
import FastAFPacket
import Glibc
import NetworkAddresses
import Testing

struct LinkAddressTests {
    private let address = LinkAddress(
        MACAddress(rawValue: 0x0211_2233_4455), interfaceIndex: 7, etherType: 0x86DD, packetType: .multicast)

    @Test("The kernel's representation has the octets in wire order and the ethertype in network byte order")
    func raw() {
        let raw = address.raw
        #expect(raw.sll_family == 17 && raw.sll_ifindex == 7 && raw.sll_halen == 6)
        #expect(withUnsafeBytes(of: raw.sll_protocol) { Array($0) } == [0x86, 0xDD])
        #expect(withUnsafeBytes(of: raw.sll_addr) { Array($0) } == [0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 0, 0])
    }

    @Test("A round trip preserves the address with each packet type", arguments: 0...4 as ClosedRange<UInt8>)
    func roundTrip(type: UInt8) throws {
        var raw = address.raw
        raw.sll_pkttype = type
        let back = LinkAddress(raw: raw)
        #expect(back.macAddress == address.macAddress && back.interfaceIndex == 7 && back.etherType == 0x86DD)
        #expect(back.packetType.rawValue == type)
    }

    @Test("An unknown packet type reads as otherHost")
    func unknownType() {
        var raw = address.raw
        raw.sll_pkttype = 250
        #expect(LinkAddress(raw: raw).packetType == .otherHost)
    }

    @Test(
        "Octets after a shorter address are ignored, and a longer address is truncated", arguments: [0, 4, 6, 8, 255])
    func lengths(length: UInt8) {
        var raw = address.raw
        raw.sll_halen = length
        let expected: UInt64 = length == 0 ? 0 : length == 4 ? 0x0211_2233_0000 : 0x0211_2233_4455
        #expect(LinkAddress(raw: raw).macAddress.rawValue == expected)
    }

    @Test("The description is the MAC address")
    func description() { #expect("\(address)" == "02:11:22:33:44:55") }
}
