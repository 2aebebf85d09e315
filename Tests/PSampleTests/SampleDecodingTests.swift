import CLinux
import NetworkAddresses
import Testing

@testable import Netlink
@testable import PSample

@Suite struct SampleDecodingTests {
    @Test func `Every attribute is decoded`() throws {
        let packet = try decode(EveryAttribute.ipv4)
        let sample = packet.sample
        #expect(sample.inputInterface == 2 && sample.outputInterface == 3)
        #expect(sample.originalSize == 1500 && sample.group == 5 && sample.sequence == 17)
        #expect(sample.rate == 10 && sample.isProbability && sample.groupReferences == 4)
        #expect(sample.outputTrafficClass == 6 && sample.outputOccupancy == 4096 && sample.latency == 1200)
        #expect(sample.timestamp == 1_700_000_000_123_456_789 && sample.protocolNumber == 0x0800)
        #expect(packet.data == EveryAttribute.packet && packet.userCookie == [0xAB, 0xCD, 0xEF])
        #expect(packet.tunnelOptions == [1, 2, 3, 4])
        let tunnel = try #require(sample.tunnel)
        #expect(tunnel.identifier == 99 && tunnel.trafficClass == 0x10 && tunnel.hopLimit == 64)
        #expect(tunnel.source == IPAddress("192.0.2.1") && tunnel.destination == IPAddress("192.0.2.2"))
        #expect(tunnel.sourcePort == 5000 && tunnel.destinationPort == 6081 && tunnel.options == .geneve)
        #expect(tunnel.forbidsFragments && tunnel.hasChecksum && tunnel.isManagement && tunnel.isBridged)
    }

    @Test func `An IPv6 tunnel has IPv6 addresses`() throws {
        let tunnel = try #require(try decode(EveryAttribute.ipv6).sample.tunnel)
        #expect(tunnel.source == IPAddress("2001:db8::1") && tunnel.destination == IPAddress("2001:db8::2"))
    }

    @Test func `An absent attribute is nil, and a zero one is 0`() throws {
        let empty = try decode([])
        #expect(empty == SampledPacket(sample: Sample(), data: []))
        #expect(empty.sample.latency == nil && empty.sample.tunnel == nil && !empty.sample.isProbability)
        #expect(empty.userCookie == nil)
        let zeros = try decode(
            attributes { writer in
                writer.put(PSAMPLE_ATTR_LATENCY, UInt64(0))
                writer.put(PSAMPLE_ATTR_OUT_TC, UInt16(0))
                writer.put(PSAMPLE_ATTR_OUT_TC_OCC, UInt64(0))
                writer.put(PSAMPLE_ATTR_GROUP_SEQ, UInt32(0))
                writer.putNested(UInt16(PSAMPLE_ATTR_TUNNEL)) { _ in }
                writer.put(UInt16(CL_PSAMPLE_ATTR_USER_COOKIE), bytes: [])
            })
        #expect(zeros.sample.latency == 0 && zeros.sample.outputTrafficClass == 0 && zeros.sample.outputOccupancy == 0)
        #expect(zeros.sample.sequence == 0 && zeros.sample.tunnel == Tunnel() && zeros.userCookie == [])
    }

    @Test func `An interface index has two bytes or four`() throws {
        let wide = attributes { writer in
            writer.put(PSAMPLE_ATTR_IIFINDEX, UInt32(70_000))
            writer.put(PSAMPLE_ATTR_OIFINDEX, UInt16(65_535))
        }
        let sample = try decode(wide).sample
        #expect(sample.inputInterface == 70_000 && sample.outputInterface == 65_535)
    }

    @Test func `Unknown attributes of newer kernels are skipped`() throws {
        let newer = attributes { writer in
            writer.put(UInt16(17), UInt64(1))
            writer.put(UInt16(4000), bytes: [1, 2, 3])
            writer.putNested(UInt16(PSAMPLE_ATTR_TUNNEL)) { $0.put(UInt16(17), bytes: [1]) }
            writer.put(PSAMPLE_ATTR_SAMPLE_GROUP, UInt32(9))
        }
        #expect(try decode(newer).sample.group == 9)
    }

    @Test(
        arguments: [
            (UInt32(1), false, 1.0), (10, false, 0.1), (.max, true, 1), (0, true, 0), (0, false, nil),
            (1 << 31, true, Double(UInt32(1) << 31) / Double(UInt32.max)), (nil, true, nil), (nil, false, nil),
        ] as [(UInt32?, Bool, Double?)])
    func `The probability is 1 in the rate, or the rate in 2^32 - 1`(
        rate: UInt32?, isProbability: Bool, expected: Double?
    ) {
        var sample = Sample()
        sample.rate = rate
        sample.isProbability = isProbability
        #expect(sample.probability == expected)
    }

    @Test func `A sample refers to the message's bytes, and its storage is reused for the next`() throws {
        let bytes = message(EveryAttribute.ipv4) + message([])
        try bytes.withUnsafeBytes { raw in
            var reader = MessageReader(raw)
            var received = ReceivedSample()
            let first = reader.next()
            try received.decode(#require(first))
            let inside = received.withData { span in
                span.withUnsafeBytes { data in
                    raw.baseAddress.map { start in data.baseAddress.map { $0 >= start && $0 < start + raw.count } }
                }
            }
            #expect(inside == true)
            #expect(received.withUserCookie { $0.byteCount } == 3)
            #expect(received.withTunnelOptions { $0.byteCount } == 4)
            let second = reader.next()
            try received.decode(#require(second))
            let packet = received.copied()
            #expect(packet == SampledPacket(sample: Sample(), data: []))
        }
    }

    /// The valid sizes of each attribute's value.
    private static let sizes: [(type: Int, sizes: Set<Int>)] = [
        (PSAMPLE_ATTR_IIFINDEX, [2, 4]), (PSAMPLE_ATTR_OIFINDEX, [2, 4]), (PSAMPLE_ATTR_ORIGSIZE, [4]),
        (PSAMPLE_ATTR_SAMPLE_GROUP, [4]), (PSAMPLE_ATTR_GROUP_SEQ, [4]), (PSAMPLE_ATTR_SAMPLE_RATE, [4]),
        (PSAMPLE_ATTR_GROUP_REFCOUNT, [4]), (PSAMPLE_ATTR_OUT_TC, [2]), (PSAMPLE_ATTR_OUT_TC_OCC, [8]),
        (PSAMPLE_ATTR_LATENCY, [8]), (PSAMPLE_ATTR_TIMESTAMP, [8]), (PSAMPLE_ATTR_PROTO, [2]),
        (Int(CL_PSAMPLE_ATTR_SAMPLE_PROBABILITY), [0]),
    ]

    @Test(arguments: sizes) func `An attribute of the wrong size is an error that names it`(
        type: Int, sizes: Set<Int>
    ) throws {
        for size in 0...17 {
            let bytes = attributes { $0.put(UInt16(type), bytes: [UInt8](repeating: 0, count: size)) }
            if sizes.contains(size) {
                #expect(throws: Never.self) { try decode(bytes) }
            } else {
                #expect(throws: NetlinkFormatError.attributeSize(type: UInt16(type), bytes: size)) { try decode(bytes) }
            }
        }
    }

    private static let tunnelSizes: [(type: psample_tunnel_key_attr, size: Int)] = [
        (PSAMPLE_TUNNEL_KEY_ATTR_ID, 8), (PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC, 4), (PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST, 4),
        (PSAMPLE_TUNNEL_KEY_ATTR_TOS, 1), (PSAMPLE_TUNNEL_KEY_ATTR_TTL, 1), (PSAMPLE_TUNNEL_KEY_ATTR_DONT_FRAGMENT, 0),
        (PSAMPLE_TUNNEL_KEY_ATTR_CSUM, 0), (PSAMPLE_TUNNEL_KEY_ATTR_OAM, 0), (PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC, 2),
        (PSAMPLE_TUNNEL_KEY_ATTR_TP_DST, 2), (PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC, 16),
        (PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST, 16), (PSAMPLE_TUNNEL_KEY_ATTR_IPV4_INFO_BRIDGE, 0),
    ]

    @Test(arguments: tunnelSizes) func `A tunnel attribute of the wrong size is an error that names it`(
        type: psample_tunnel_key_attr, size: Int
    ) throws {
        let type = UInt16(type.rawValue)
        for other in 0...17 {
            let bytes = attributes { writer in
                writer.putNested(UInt16(PSAMPLE_ATTR_TUNNEL)) {
                    $0.put(type, bytes: [UInt8](repeating: 0, count: other))
                }
            }
            if other == size {
                #expect(throws: Never.self) { try decode(bytes) }
            } else {
                #expect(throws: NetlinkFormatError.attributeSize(type: type, bytes: other)) { try decode(bytes) }
            }
        }
    }
}
