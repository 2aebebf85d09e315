import NetworkAddresses
import STAMPWire
import Testing

/// Packets of one session, from 49153 to 862 and back.
private enum Session {
    static let probe = SenderPacket(
        sequence: 0x0102_0304, timestamp: 5, errorEstimate: ErrorEstimate(rawValue: 1), ssid: 0x0A0B)
    static let reply = ReflectorPacket(
        sequence: 77, transmitTimestamp: 6, errorEstimate: ErrorEstimate(rawValue: 1), ssid: 0x0A0B,
        receiveTimestamp: 7, senderSequence: 0x0102_0304, senderTimestamp: 5,
        senderErrorEstimate: ErrorEstimate(rawValue: 1), senderTTL: 255)

    static func frame(isReply: Bool, isIPv4: Bool, vlan: VLANTag? = nil) throws -> [UInt8] {
        let near = try #require(IPAddress(isIPv4 ? "192.0.2.1" : "2001:db8::1"))
        let far = try #require(IPAddress(isIPv4 ? "192.0.2.2" : "2001:db8::2"))
        let template = UDPFrameTemplate(
            destinationMAC: MACAddress(rawValue: 1), sourceMAC: MACAddress(rawValue: 2), vlan: vlan,
            source: isReply ? far : near, destination: isReply ? near : far, sourcePort: isReply ? 862 : 49153,
            destinationPort: isReply ? 49153 : 862)
        let packet = written(44) { isReply ? reply.write(into: &$0) : probe.write(into: &$0) }
        var frame = written(template.headerLength + 44) { template.writeHeaders(into: &$0, payloadLength: 44) }
        frame.replaceSubrange(template.headerLength..., with: packet)
        return frame
    }
}

private func decode(_ frame: [UInt8], wholeLength: Int? = nil, port: UInt16 = 862) -> STAMPFrame? {
    STAMPFrame(decoding: frame.span.bytes, wholeLength: wholeLength, port: port)
}

@Suite struct STAMPFrameTests {
    @Test(arguments: [true, false], [nil, VLANTag(priority: 5, dropEligible: false, identifier: 7)])
    func `ports distinguish probe and reply`(isIPv4: Bool, vlan: VLANTag?) throws {
        let probe = try #require(decode(Session.frame(isReply: false, isIPv4: isIPv4, vlan: vlan)))
        #expect(probe.kind == .probe && probe.hasIP)
        #expect(probe.source == IPAddress(isIPv4 ? "192.0.2.1" : "2001:db8::1"))
        #expect(probe.destination == IPAddress(isIPv4 ? "192.0.2.2" : "2001:db8::2"))
        #expect(probe.sourcePort == 49153 && probe.destinationPort == 862)
        #expect(probe.sequence == 0x0102_0304 && probe.probeSequence == 0x0102_0304 && probe.ssid == 0x0A0B)

        let reply = try #require(decode(Session.frame(isReply: true, isIPv4: isIPv4, vlan: vlan)))
        #expect(reply.kind == .reply && reply.source == probe.destination)
        #expect(reply.sequence == 77 && reply.probeSequence == 0x0102_0304 && reply.ssid == 0x0A0B)
    }

    @Test func `a frame without IP has the stations' link-local addresses`() throws {
        let frame = hex("021122334455 02aabbccddee 88b5 4f574c32 01 00 0010 c001 035e")
        let payload = written(44) { Session.probe.write(into: &$0) }.prefix(16)
        let found = try #require(decode(frame + payload))
        #expect(found.kind == .probe && !found.hasIP && found.sequence == 0x0102_0304)
        #expect(found.sourceMAC == MACAddress("02:aa:bb:cc:dd:ee"))
        #expect(found.destinationMAC == MACAddress("02:11:22:33:44:55"))
        #expect(found.source == IPAddress("fe80::aa:bbff:fecc:ddee"))
        #expect(found.destination == IPAddress("fe80::11:22ff:fe33:4455"))
    }

    @Test func `the transmit time is decoded from either format, if it is present`() throws {
        let pivot: Int64 = 1_795_000_000_000_000_000
        for isPTP in [false, true] {
            let sent = pivot + 123_456_789
            let timestamp =
                isPTP
                ? PTPTimestamp(unixNanoseconds: sent).rawValue : NTPTimestamp(unixNanoseconds: sent).rawValue
            let estimate = ErrorEstimate(synchronized: true, isPTP: isPTP, errorNanoseconds: 1)
            let packet = SenderPacket(sequence: 1, timestamp: timestamp, errorEstimate: estimate, ssid: 1)
            var frame = try Session.frame(isReply: false, isIPv4: true)
            frame.replaceSubrange(42..., with: written(44) { packet.write(into: &$0) })
            #expect(decode(frame)?.sent(near: pivot) == sent)
            #expect(decode(Array(frame.prefix(42 + 13)), wholeLength: frame.count)?.sent(near: pivot) == nil)
            #expect(decode(Array(frame.prefix(42 + 14)), wholeLength: frame.count)?.sent(near: pivot) == sent)
        }
    }

    @Test func `a partial frame reports the fields that are present`() throws {
        let frame = try Session.frame(isReply: true, isIPv4: true)
        for length in 0...frame.count {
            let found = decode(Array(frame.prefix(length)), wholeLength: frame.count)
            #expect((found != nil) == (length >= 46), "cut to \(length)")
            #expect((found?.ssid != nil) == (length >= 58), "cut to \(length)")
            #expect((found?.probeSequence != nil) == (length >= 70), "cut to \(length)")
        }
    }

    @Test func `a frame shorter than its headers state is rejected`() throws {
        let frame = try Session.frame(isReply: false, isIPv4: true)
        #expect(decode(Array(frame.dropLast())) == nil)
        #expect(decode(Array(frame.dropLast()), wholeLength: frame.count - 1) == nil)
    }

    @Test func `an unfilled UDP checksum is accepted`() throws {
        var frame = try Session.frame(isReply: false, isIPv4: false)
        frame[60] ^= 0xFF
        #expect(decode(frame) != nil)
    }

    @Test func `other ports are rejected, and a packet from the reflector's port is never a probe`() throws {
        var frame = try Session.frame(isReply: false, isIPv4: true)
        #expect(decode(frame, port: 863) == nil)
        frame.replaceSubrange(34..<36, with: [0x03, 0x5E])
        #expect(decode(frame)?.kind == .reply)
    }

    @Test func `damaged frames are rejected, or decoded from the bytes present`() throws {
        var generator = SeededGenerator(state: 7)
        let frames = try [
            Session.frame(isReply: true, isIPv4: true), Session.frame(isReply: false, isIPv4: false),
            hex("021122334455 02aabbccddee 88b5 4f574c32 01 00 0010 c001 035e") + [UInt8](repeating: 1, count: 16),
        ]
        var accepted = 0
        for frame in frames {
            for _ in 0..<20_000 {
                var bytes = Array(frame.prefix(Int.random(in: 0...frame.count, using: &generator)))
                for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                let wholeLength = [nil, 0, 90, 65535, Int.max][Int.random(in: 0..<5, using: &generator)]
                guard let found = decode(bytes, wholeLength: wholeLength) else { continue }
                accepted += 1
                // The shortest headers before the sequence number are 26 bytes, without IP.
                let isRight =
                    bytes.count >= 30 && found.source.isIPv4 == found.destination.isIPv4
                    && (found.kind == .reply ? found.sourcePort : found.destinationPort) == 862
                    && (found.kind == .reply || found.probeSequence == found.sequence)
                    && (found.timestamp == nil) == (found.errorEstimate == nil)
                if !isRight { Issue.record("\(found) from \(bytes)") }
            }
        }
        #expect(accepted > 1000, "\(accepted) of 60000 frames were accepted")
    }
}

@Suite struct CutFrameTests {
    /// A header with options that ends inside them. Without the length check, the bytes present could have the right
    /// checksum by chance.
    @Test func `a frame that ends inside the IPv4 header is short`() throws {
        let start = hex("021122334455 02aabbccddee 0800 46 00 0040 0000 4000 40 11")
        let addresses = hex("c0000201 c0000202")
        let sum = plainSum(start.dropFirst(14) + addresses)
        let cut = start + [UInt8(~sum >> 8), UInt8(truncatingIfNeeded: ~sum)] + addresses
        #expect(throws: FrameError.short) { try UDPFrame(decoding: cut.span.bytes, wholeLength: 78) }
        #expect(STAMPFrame(decoding: cut.span.bytes, wholeLength: 78) == nil)
    }
}
