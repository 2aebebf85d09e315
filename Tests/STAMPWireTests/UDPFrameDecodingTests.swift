import NetworkAddresses
import STAMPWire
import Testing

@Suite("Decoding frames")
struct UDPFrameDecodingTests {
    @Test("Every field of an IPv4 frame is at its offset from RFC 791 and RFC 768")
    func ipv4() throws {
        let frame = try decodeFrame(Golden.ipv4).get()
        #expect(frame.destinationMAC == MACAddress("02:11:22:33:44:55"))
        #expect(frame.sourceMAC == MACAddress("02:aa:bb:cc:dd:ee"))
        #expect(frame.vlan == nil)
        #expect(frame.source == IPAddress("192.0.2.1"))
        #expect(frame.destination == IPAddress("198.51.100.2"))
        #expect(frame.hopLimit == 63)
        #expect(frame.dscp == 46)
        #expect(frame.ecn == 1)
        #expect(frame.sourcePort == 49153)
        #expect(frame.destinationPort == 862)
        #expect(frame.payload == 42..<45)
        #expect(Array(Golden.ipv4[frame.payload]) == [1, 2, 3])
    }

    @Test("Every field of an IPv6 frame is at its offset from RFC 8200")
    func ipv6() throws {
        let frame = try decodeFrame(Golden.ipv6).get()
        #expect(frame.source == IPAddress("2001:db8::1"))
        #expect(frame.destination == IPAddress("2001:db8::2"))
        #expect(frame.hopLimit == 64)
        #expect(frame.dscp == 46)
        #expect(frame.ecn == 1)
        #expect(frame.sourcePort == 49153)
        #expect(frame.destinationPort == 862)
        #expect(frame.payload == 62..<65)
    }

    @Test("An 802.1Q tag is decoded and moves the rest by four bytes")
    func vlan() throws {
        let frame = try decodeFrame(Golden.ipv4Tagged).get()
        #expect(frame.vlan == VLANTag(priority: 5, dropEligible: true, identifier: 100))
        #expect(frame.payload == 46..<49)
    }

    @Test("A second tag is rejected")
    func doubleTag() {
        var frame = Golden.ipv4Tagged
        frame.insert(contentsOf: hex("8100 0001"), at: 12)
        #expect(frameError(frame) == .notIP)
    }

    @Test("IPv4 options are skipped")
    func options() throws {
        let frame = try decodeFrame(Golden.ipv4Options).get()
        #expect(frame.payload == 46..<51)
        #expect(Array(Golden.ipv4Options[frame.payload]) == Array("hello".utf8))
    }

    @Test("Bytes after the datagram are not payload", arguments: [Golden.ipv4, Golden.ipv6, Golden.ipv4Tagged])
    func padding(frame: [UInt8]) throws {
        let bare = try decodeFrame(frame).get()
        let padded = try decodeFrame(frame + [UInt8](repeating: 0xAA, count: 17)).get()
        #expect(padded == bare)
    }

    @Test("A UDP length below the IP payload length ends the payload")
    func shortUDPLength() throws {
        // The IP payload has two more bytes than the UDP length counts.
        var frame = Golden.ipv4 + [9, 9]
        frame[17] = 0x21
        fixHeaderChecksum(&frame)
        #expect(try decodeFrame(frame).get().payload == 42..<45)
    }

    @Test("An empty datagram has an empty payload")
    func empty() throws {
        var frame = Array(Golden.ipv4.prefix(42))
        frame[17] = 28
        frame[39] = 8
        frame[40] = 0
        frame[41] = 0
        fixHeaderChecksum(&frame)
        #expect(try decodeFrame(frame).get().payload == 42..<42)
    }

    @Test("Another EtherType is not IP", arguments: [0x0806, 0x88F7, 0x88A8, 0x0000, 0x05DC] as [UInt16])
    func notIP(type: UInt16) {
        var frame = Golden.ipv4
        frame[12] = UInt8(type >> 8)
        frame[13] = UInt8(type & 0xFF)
        #expect(frameError(frame) == .notIP)
    }

    @Test("Another protocol is not UDP")
    func notUDP() {
        var frame = Golden.ipv4
        frame[23] = 6
        fixHeaderChecksum(&frame)
        #expect(frameError(frame) == .notUDP)
        var frame6 = Golden.ipv6
        frame6[20] = 58
        #expect(frameError(frame6) == .notUDP)
        frame6[20] = 59
        #expect(frameError(frame6) == .notUDP)
    }

    @Test(
        "Fragments are rejected, including the first and the last",
        arguments: [0x2000, 0x0001, 0x1FFF, 0x3000] as [UInt16])
    func fragment(field: UInt16) {
        var frame = Golden.ipv4
        frame[20] = UInt8(field >> 8)
        frame[21] = UInt8(field & 0xFF)
        fixHeaderChecksum(&frame)
        #expect(frameError(frame) == .fragment)
    }

    @Test("Neither don't-fragment nor the reserved bit marks a fragment", arguments: [0x0000, 0x4000, 0x8000, 0xC000])
    func notFragment(field: Int) {
        var frame = Golden.ipv4
        frame[20] = UInt8(field >> 8)
        fixHeaderChecksum(&frame)
        #expect(frameError(frame) == nil)
    }

    @Test("A version that contradicts the EtherType is rejected")
    func version() {
        var frame = Golden.ipv4
        frame[14] = 0x65
        fixHeaderChecksum(&frame)
        #expect(frameError(frame) == .badHeader)
        var frame6 = Golden.ipv6
        frame6[14] = 0x4B
        #expect(frameError(frame6) == .badHeader)
    }

    @Test("An IPv4 header length under 20 bytes or above the total length is rejected", arguments: [0x40, 0x44, 0x4F])
    func headerLength(first: UInt8) {
        var frame = Golden.ipv4
        frame[14] = first
        #expect(frameError(frame) == .badHeader)
    }

    @Test("Every flipped bit of the IPv4 header fails its checksum")
    func headerChecksum() {
        // Without version, lengths and flags, which are checked before the checksum or determine its range.
        for index in [15, 18, 19, 22, 23, 24, 25, 26, 30, 33] {
            for bit in 0..<8 {
                var frame = Golden.ipv4
                frame[index] ^= 1 << UInt8(bit)
                #expect(frameError(frame) == .badHeaderChecksum, "byte \(index) bit \(bit)")
            }
        }
    }

    @Test("Every flipped bit of ports, payload or addresses fails the UDP checksum")
    func checksum() {
        for frame in [Golden.ipv6, Golden.ipv6Extended] {
            let udp = frame.count - 11
            for index in Array(22..<54) + [udp, udp + 2, udp + 3, udp + 6, udp + 7, udp + 8, udp + 10] {
                for bit in 0..<8 {
                    var changed = frame
                    changed[index] ^= 1 << UInt8(bit)
                    #expect(frameError(changed) == .badChecksum, "byte \(index) bit \(bit)")
                    #expect(frameError(changed, verifyChecksum: false) == nil, "byte \(index) bit \(bit)")
                }
            }
        }
    }

    @Test("The IPv4 header checksum is verified even when the UDP checksum is not")
    func headerChecksumAlways() {
        var frame = Golden.ipv4
        frame[24] ^= 1
        #expect(frameError(frame, verifyChecksum: false) == .badHeaderChecksum)
    }

    @Test("An absent UDP checksum is accepted over IPv4 and rejected over IPv6")
    func absentChecksum() {
        var frame = Golden.ipv4
        frame[40] = 0
        frame[41] = 0
        #expect(frameError(frame) == nil)
        var frame6 = Golden.ipv6
        frame6[60] = 0
        frame6[61] = 0
        #expect(frameError(frame6) == .badChecksum)
        #expect(frameError(frame6, verifyChecksum: false) == nil)
    }

    @Test("A UDP length under 8 or beyond the IP payload is rejected", arguments: [0, 7, 12, 0xFFFF])
    func udpLength(length: Int) {
        for (start, frame) in [(34, Golden.ipv4), (54, Golden.ipv6)] {
            var changed = frame
            changed[start + 4] = UInt8(length >> 8)
            changed[start + 5] = UInt8(length & 0xFF)
            #expect(frameError(changed) == .badHeader)
            #expect(frameError(changed, verifyChecksum: false) == .badHeader)
        }
    }

    @Test("A frame that ends before its IP length is truncated; one that ends in its fixed headers is short")
    func prefixes() {
        for (frame, fixed) in [
            (Golden.ipv4, 34), (Golden.ipv4Tagged, 38), (Golden.ipv4Options, 34), (Golden.ipv6, 54),
            (Golden.ipv6Extended, 54),
        ] {
            for count in 0..<frame.count {
                #expect(frameError(Array(frame.prefix(count))) == (count < fixed ? .short : .truncated), "\(count)")
            }
            #expect(frameError(frame) == nil)
        }
    }

    @Test("An IP payload without room for a UDP header is rejected")
    func noUDPHeader() {
        var frame = Golden.ipv4
        frame[17] = 27
        fixHeaderChecksum(&frame)
        #expect(frameError(frame) == .badHeader)
        var frame6 = Golden.ipv6
        frame6[19] = 7
        #expect(frameError(frame6) == .badHeader)
    }
}
