import NetworkAddresses
import Testing

@testable import STAMPWire

@Suite("Encoding frames")
struct UDPFrameEncodingTests {
    private let ipv4 = UDPFrameTemplate(
        destinationMAC: MACAddress(rawValue: 0x0211_2233_4455), sourceMAC: MACAddress(rawValue: 0x02AA_BBCC_DDEE),
        source: .v4(0xC000_0201), destination: .v4(0xC633_6402), sourcePort: 49153, destinationPort: 862, hopLimit: 63,
        dscp: 46, ecn: 1)
    private let ipv6 = UDPFrameTemplate(
        destinationMAC: MACAddress(rawValue: 0x0211_2233_4455), sourceMAC: MACAddress(rawValue: 0x02AA_BBCC_DDEE),
        source: .v6(0x2001_0DB8_0000_0000_0000_0000_0000_0001),
        destination: .v6(0x2001_0DB8_0000_0000_0000_0000_0000_0002), sourcePort: 49153, destinationPort: 862,
        hopLimit: 64, dscp: 46, ecn: 1)

    private func encode(_ template: UDPFrameTemplate, _ payload: [UInt8]) -> [UInt8] {
        var frame = [UInt8](repeating: 0xEE, count: template.headerLength) + payload
        let fits = edit(&frame) { span in
            let fits = template.writeHeaders(into: &span, payloadLength: payload.count)
            template.writeChecksum(into: &span, payloadLength: payload.count)
            return fits
        }
        #expect(fits)
        return frame
    }

    @Test("The frames match the hand-written ones, byte for byte")
    func golden() {
        #expect(encode(ipv4, [1, 2, 3]) == Golden.ipv4)
        #expect(encode(ipv6, [1, 2, 3]) == Golden.ipv6)
        var tagged = ipv4
        tagged.vlan = VLANTag(priority: 5, dropEligible: true, identifier: 100)
        #expect(encode(tagged, [1, 2, 3]) == Golden.ipv4Tagged)
    }

    @Test("The payload starts at the header length")
    func headerLength() {
        #expect(ipv4.headerLength == 42)
        #expect(ipv6.headerLength == 62)
        var tagged = ipv6
        tagged.vlan = VLANTag(priority: 0, dropEligible: false, identifier: 1)
        #expect(tagged.headerLength == 66)
    }

    @Test("Decoding recovers the headers at every payload length around words and odd ends")
    func roundTrip() throws {
        var generator = SeededGenerator(state: 1)
        for count in Array(0..<70) + [1399, 1400, 1472, 8191, 65507] {
            for template in [ipv4, ipv6] {
                let frame = encode(template, generator.bytes(count))
                let decoded = try decodeFrame(frame).get()
                #expect(decoded.payload == template.headerLength..<frame.count)
                #expect(decoded.dscp == 46 && decoded.ecn == 1 && decoded.hopLimit == template.hopLimit)
            }
        }
    }

    @Test("A checksum of zero is sent as 0xFFFF, which is accepted")
    func zeroChecksum() throws {
        for template in [ipv4, ipv6] {
            let plain = encode(template, [0, 0])
            // The payload makes the sum over everything else 0xFFFF, so its complement is zero.
            let checksum = template.headerLength - 2
            let frame = encode(template, Array(plain[checksum..<checksum + 2]))
            #expect(Array(frame[checksum..<checksum + 2]) == [0xFF, 0xFF])
            #expect(frameError(frame) == nil)
        }
    }

    @Test("Headers leave the checksum zero and the payload unchanged")
    func headersOnly() {
        let frame = written(45) { span in ipv4.writeHeaders(into: &span, payloadLength: 3) }
        #expect(Array(frame[40..<45]) == [0, 0, 0xEE, 0xEE, 0xEE])
    }

    @Test("Nothing is written if headers and payload do not fit")
    func doesNotFit() {
        for (template, size, payload) in [
            (ipv4, 44, 3), (ipv6, 64, 3), (ipv4, 0, 0), (ipv4, 70000, 65508), (ipv6, 70000, 65528), (ipv4, 100, -1),
            (ipv4, 100, .min), (ipv4, 100, .max),
        ] {
            let frame = written(size) { span in
                template.writeChecksum(into: &span, payloadLength: payload)
                return !template.writeHeaders(into: &span, payloadLength: payload)
            }
            #expect(frame.allSatisfy { $0 == 0xEE })
        }
    }

    @Test("Addresses of different families are rejected")
    func families() {
        var mixed = ipv4
        mixed.destination = ipv6.destination
        let frame = written(100) { span in !mixed.writeHeaders(into: &span, payloadLength: 3) }
        #expect(frame.allSatisfy { $0 == 0xEE })
    }

    @Test("The default is 255 hops and no marking")
    func defaults() throws {
        let template = UDPFrameTemplate(
            destinationMAC: .broadcast, sourceMAC: .zero, source: .v4(1), destination: .v4(2), sourcePort: 1,
            destinationPort: 2)
        let frame = try decodeFrame(encode(template, [])).get()
        #expect(frame.hopLimit == 255 && frame.dscp == 0 && frame.ecn == 0 && frame.vlan == nil)
    }

    @Test("Values wider than their fields do not affect other fields")
    func widths() throws {
        var template = ipv6
        template.dscp = 0xFF
        template.ecn = 0xFC
        template.vlan = VLANTag(priority: 0xF8, dropEligible: false, identifier: 0xF001)
        let frame = try decodeFrame(encode(template, [])).get()
        #expect(frame.dscp == 0x3F && frame.ecn == 0)
        #expect(frame.vlan == VLANTag(priority: 0, dropEligible: false, identifier: 1))
    }

    @Test("The fast sum equals the plain sum, at every length and start")
    func sum() {
        var generator = SeededGenerator(state: 2)
        let bytes = generator.bytes(300) + [UInt8](repeating: 0xFF, count: 300)
        for start in [0, 1, 2, 3, 7, 290] {
            for count in 0..<200 {
                var sum = InternetChecksum()
                sum.add(bytes.span.bytes, start..<start + count)
                #expect(sum.folded == plainSum(Array(bytes[start..<start + count])), "\(start) \(count)")
            }
        }
    }

    @Test("A sum over a range beyond the bytes covers only the bytes present")
    func sumClamped() {
        let bytes: [UInt8] = [1, 2, 3]
        var sum = InternetChecksum()
        sum.add(bytes.span.bytes, 1..<100)
        #expect(sum.folded == 0x0203)
    }
}
