import NetworkAddresses
import STAMPWire
import Testing

/// Frames without IP, written by hand from docs/l2-frame.md. All go from port 49153 to 862.
private enum L2Golden {
    static let ordinary = hex(
        """
        021122334455 02aabbccddee 88b5
        4f574c32 01 00 0003 c001 035e
        010203
        """)
    static let tagged = hex(
        """
        021122334455 02aabbccddee 8100 b064 88b5
        4f574c32 01 00 0003 c001 035e
        010203
        """)
    /// The packet's length is odd, so the TLV has one more byte.
    static let ptp = hex(
        """
        021122334455 02aabbccddee 88f7
        00 02 0040 7f 00 0400 0000000000000000 00000000 02aabbfffeccddee 0001 beef 00 7f 00000000000000000000
        2004 0010
        4f574c32 01 00 0003 c001 035e
        010203 00
        """)
    static let frames = [ordinary, tagged, ptp]
}

private func decode(_ bytes: [UInt8]) -> Result<L2Frame, FrameError> {
    do throws(FrameError) { return .success(try L2Frame(decoding: bytes.span.bytes)) } catch { return .failure(error) }
}

private func error(_ bytes: [UInt8]) -> FrameError? {
    guard case .failure(let error) = decode(bytes) else { return nil }
    return error
}

private func set(_ frame: [UInt8], _ offset: Int, _ bytes: String) -> [UInt8] {
    var frame = frame
    let new = hex(bytes)
    frame.replaceSubrange(offset..<offset + new.count, with: new)
    return frame
}

@Suite("Decoding frames without IP")
struct L2FrameDecodingTests {
    @Test("Every field of an ordinary frame is at its documented offset")
    func ordinary() throws {
        let frame = try decode(L2Golden.ordinary).get()
        #expect(frame.destinationMAC == MACAddress("02:11:22:33:44:55"))
        #expect(frame.sourceMAC == MACAddress("02:aa:bb:cc:dd:ee"))
        #expect(frame.vlan == nil && frame.shape == .ordinary)
        #expect(frame.sourcePort == 49153 && frame.destinationPort == 862)
        #expect(frame.payload == 26..<29 && frame.length == 29)
    }

    @Test("A tag is decoded and moves the rest by four bytes")
    func vlan() throws {
        let frame = try decode(L2Golden.tagged).get()
        #expect(frame.vlan == VLANTag(priority: 5, dropEligible: true, identifier: 100))
        #expect(frame.payload == 30..<33)
        #expect(error(set(L2Golden.tagged, 16, "8100")) == .notL2, "a second tag is rejected")
    }

    @Test("In a PTP frame the packet is in the TLV after the message")
    func ptp() throws {
        let frame = try decode(L2Golden.ptp).get()
        #expect(frame.shape == .ptp && frame.sourcePort == 49153 && frame.destinationPort == 862)
        #expect(frame.payload == 74..<77 && frame.length == 78)
    }

    @Test("The PTP header is ignored, because transparent clocks and NICs may change it")
    func ptpHeader() throws {
        var generator = SeededGenerator(state: 3)
        let plain = try decode(L2Golden.ptp).get()
        for _ in 0..<100 {
            let frame = Array(L2Golden.ptp[..<14]) + generator.bytes(44) + L2Golden.ptp[58...]
            #expect(try decode(frame).get() == plain)
        }
    }

    @Test("Ethernet padding is not payload", arguments: L2Golden.frames)
    func padding(frame: [UInt8]) throws {
        let bare = try decode(frame).get()
        for count in [1, 17, 60] {
            #expect(try decode(frame + [UInt8](repeating: 0xAA, count: count)).get() == bare)
        }
    }

    @Test("An empty packet is valid")
    func empty() throws {
        let frame = set(L2Golden.ordinary, 20, "0000")
        #expect(try decode(frame).get().payload == 26..<26)
    }

    @Test("Another EtherType, TLV type, magic or version is rejected")
    func thirdParty() {
        for type in ["0800", "86dd", "88b6", "88a8", "0000", "05dc"] {
            #expect(error(set(L2Golden.ordinary, 12, type)) == .notL2)
        }
        // The bytes of an ordinary frame are no TLV, and a TLV is no ordinary frame.
        #expect(error(set(L2Golden.ptp, 12, "88b5")) == .notL2)
        #expect(error(set(L2Golden.ordinary, 12, "88f7")) == .short)
        for type in ["0000", "0003", "2005"] { #expect(error(set(L2Golden.ptp, 58, type)) == .notL2) }
        for magic in ["4f574c33", "4e574c32", "00000000", "4f574450"] {
            #expect(error(set(L2Golden.ordinary, 14, magic)) == .notL2)
            #expect(error(set(L2Golden.ptp, 62, magic)) == .notL2)
        }
        for version in ["00", "02", "ff"] { #expect(error(set(L2Golden.ordinary, 18, version)) == .notL2) }
    }

    @Test("The reserved byte is ignored")
    func reserved() throws {
        #expect(try decode(set(L2Golden.ordinary, 19, "ff")).get() == decode(L2Golden.ordinary).get())
    }

    @Test("A packet longer than its frame or its TLV is truncated")
    func truncated() {
        for length in ["0004", "0100", "ffff"] {
            #expect(error(set(L2Golden.ordinary, 20, length)) == .truncated)
            #expect(error(set(L2Golden.tagged, 24, length)) == .truncated)
        }
        // The TLV has room for one byte more than the packet, and the bytes after it are not part of it.
        #expect(error(set(L2Golden.ptp, 68, "0004")) == nil)
        #expect(error(set(L2Golden.ptp, 68, "0005")) == .truncated)
        #expect(error(set(L2Golden.ptp, 68, "0005") + [0, 0, 0, 0]) == .truncated)
        for length in ["0011", "ffff"] { #expect(error(set(L2Golden.ptp, 60, length)) == .truncated) }
        for length in ["0000", "000b"] { #expect(error(set(L2Golden.ptp, 60, length)) == .short) }
    }

    @Test("Every prefix is rejected", arguments: L2Golden.frames)
    func prefixes(frame: [UInt8]) {
        for count in 0..<frame.count {
            let found = error(Array(frame.prefix(count)))
            #expect(found == .short || found == .truncated, "\(count) bytes")
        }
    }

    @Test("Random and damaged frames are rejected or decoded within their bounds")
    func hostile() {
        var generator = SeededGenerator(state: 7)
        var accepted = 0
        for round in 0..<20_000 {
            var frame = L2Golden.frames[round % 3] + generator.bytes(Int(generator.next() % 40))
            for _ in 0..<Int(generator.next() % 4) {
                frame[Int(generator.next() % UInt64(frame.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            if round % 5 == 0 { frame = generator.bytes(Int(generator.next() % 200)) }
            guard case .success(let decoded) = decode(frame) else { continue }
            accepted += 1
            #expect(decoded.payload.lowerBound >= 26 && decoded.payload.upperBound <= frame.count)
        }
        #expect(accepted > 1000, "\(accepted) of 20000 frames were accepted")
    }
}

@Suite("Encoding frames without IP")
struct L2FrameEncodingTests {
    private let ordinary = L2FrameTemplate(
        destinationMAC: MACAddress(rawValue: 0x0211_2233_4455), sourceMAC: MACAddress(rawValue: 0x02AA_BBCC_DDEE),
        sourcePort: 49153, destinationPort: 862)

    private var templates: [L2FrameTemplate] {
        L2FrameShape.allCases.flatMap { shape in
            [nil, VLANTag(priority: 5, dropEligible: true, identifier: 100)].map { tag in
                var template = ordinary
                template.shape = shape
                template.vlan = tag
                return template
            }
        }
    }

    private func encode(_ template: L2FrameTemplate, _ payload: [UInt8]) -> [UInt8] {
        var frame = [UInt8](repeating: 0xEE, count: template.headerLength) + payload
        frame += [UInt8](repeating: 0xEE, count: template.frameLength(payloadLength: payload.count) - frame.count)
        let fits = edit(&frame) { $0.writeL2(template, payload.count) }
        #expect(fits)
        return frame
    }

    @Test("The frames match the hand-written ones, byte for byte")
    func golden() {
        #expect(encode(templates[0], [1, 2, 3]) == L2Golden.ordinary)
        #expect(encode(templates[1], [1, 2, 3]) == L2Golden.tagged)
        #expect(encode(templates[2], [1, 2, 3]) == L2Golden.ptp)
    }

    @Test("A PTP frame to a group address has no unicast flag")
    func multicast() {
        var template = templates[2]
        template.destinationMAC = MACAddress(rawValue: 0x0180_C200_000E)
        #expect(Array(encode(template, [1, 2])[20..<22]) == [0, 0])
    }

    @Test("Decoding recovers the payload at even and odd lengths, and PTP lengths are even")
    func roundTrip() throws {
        var generator = SeededGenerator(state: 1)
        for count in Array(0..<70) + [1399, 1400, 8191, 65400] {
            for template in templates {
                let payload = generator.bytes(count)
                let frame = encode(template, payload)
                let decoded = try decode(frame).get()
                #expect(Array(frame[decoded.payload]) == payload && decoded.payload.lowerBound == template.headerLength)
                #expect(decoded.length == frame.count && decoded.vlan == template.vlan)
                if template.shape == .ptp { #expect((frame.count - template.headerLength) % 2 == 0) }
            }
        }
    }

    @Test("A payload fills an MTU to the last byte and never exceeds it", arguments: [1500, 1501, 9000, 65535])
    func room(mtu: Int) {
        for template in templates {
            let link = template.vlan == nil ? 14 : 18
            let room = template.shape.room(mtu: mtu)
            #expect(template.frameLength(payloadLength: room) <= mtu + link)
            let more = template.frameLength(payloadLength: room + 1)
            #expect(more > mtu + link || more > 65535, "one byte more would do")
            #expect(encode(template, [UInt8](repeating: 1, count: room)).count > room)
        }
        #expect(L2FrameShape.ptp.room(mtu: 20) < 0)
    }

    @Test("Nothing is written if the frame does not fit")
    func tooSmall() {
        for template in templates {
            for payload in [3, 4] {
                var frame = [UInt8](repeating: 0xEE, count: template.frameLength(payloadLength: payload) - 1)
                let untouched = frame
                #expect(edit(&frame) { !$0.writeL2(template, payload) })
                #expect(frame == untouched)
            }
            var frame = [UInt8](repeating: 0xEE, count: 70_000)
            #expect(edit(&frame) { !$0.writeL2(template, -1) && !$0.writeL2(template, 65536) })
            #expect(edit(&frame) { !$0.writeL2(template, .max) })
            #expect(frame.allSatisfy { $0 == 0xEE })
        }
    }

    @Test("Nothing is written if a Sync does not fit")
    func sync() {
        var bytes = [UInt8](repeating: 0xEE, count: 60)
        let request = PTPSync(source: .broadcast, sequence: 1)
        #expect(edit(&bytes) { !request.write(into: &$0, at: 17) && !request.write(into: &$0, at: -1) })
        #expect(bytes.allSatisfy { $0 == 0xEE })
        #expect(edit(&bytes) { request.write(into: &$0, at: 16) })
        #expect(Array(bytes[16..<22]) == [0, 2, 0, 44, 127, 0] && bytes[15] == 0xEE)
    }
}

extension MutableRawSpan {
    fileprivate mutating func writeL2(_ template: L2FrameTemplate, _ payload: Int) -> Bool {
        template.writeHeaders(into: &self, payloadLength: payload, sequence: 0xBEEF)
    }
}
