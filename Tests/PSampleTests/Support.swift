import CLinux

@testable import Netlink
@testable import PSample

/// Attributes of a sample, as the kernel's psample_sample_packet() writes them.
func attributes(_ body: (inout AttributeWriter) -> Void) -> [UInt8] {
    var writer = AttributeWriter()
    body(&writer)
    return writer.bytes
}

extension AttributeWriter {
    /// Appends an attribute by its number in linux/psample.h.
    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Int, _ value: Value, order: ByteOrder = .host
    ) {
        put(UInt16(type), value, order: order)
    }

    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ type: psample_tunnel_key_attr, network value: Value)
    {
        put(UInt16(type.rawValue), value, order: .network)
    }

    mutating func putFlag(_ type: psample_tunnel_key_attr) { putFlag(UInt16(type.rawValue)) }
}

/// The psample family of these tests.
let psampleFamily = GenericFamily(name: "psample", identifier: 0x20, version: 1, groups: ["config": 7, "packets": 8])

/// A complete PSAMPLE_CMD_SAMPLE.
func message(_ attributes: [UInt8], type: UInt16 = 0x20) -> [UInt8] {
    message(PSAMPLE_CMD_SAMPLE, attributes, type: type)
}

func message(_ command: psample_command, _ attributes: [UInt8], type: UInt16 = 0x20) -> [UInt8] {
    let length = 20 + attributes.count
    let header = nlmsghdr(
        nlmsg_len: UInt32(length), nlmsg_type: type, nlmsg_flags: 0, nlmsg_seq: 0, nlmsg_pid: 0)
    return withUnsafeBytes(of: header, Array.init) + [UInt8(command.rawValue), 1, 0, 0] + attributes
}

/// Decodes a sample's attributes and copies its bytes.
func decode(_ attributes: [UInt8]) throws(NetlinkFormatError) -> SampledPacket {
    try decode(message: message(attributes))
}

/// Decodes a complete message and copies its bytes.
func decode(message: [UInt8]) throws(NetlinkFormatError) -> SampledPacket {
    let result: Result<SampledPacket, NetlinkFormatError> = message.withUnsafeBytes { raw in
        do throws(NetlinkFormatError) {
            var reader = MessageReader(raw)
            var received = ReceivedSample()
            while let message = reader.next() { try received.decode(message) }
            return .success(received.copied())
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// Samples with every attribute, each with a different value.
enum EveryAttribute {
    static let packet = (0..<128).map { UInt8($0) }

    static let ipv4 = attributes { writer in
        put(to: &writer) { tunnel in
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC, network: UInt32(0xC000_0201))
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST, network: UInt32(0xC000_0202))
        }
    }

    static let ipv6 = attributes { writer in
        put(to: &writer) { tunnel in
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC, network: UInt128(0x2001_0DB8) << 96 | 1)
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST, network: UInt128(0x2001_0DB8) << 96 | 2)
        }
    }

    private static func put(to writer: inout AttributeWriter, _ addresses: (inout AttributeWriter) -> Void) {
        writer.put(PSAMPLE_ATTR_IIFINDEX, UInt16(2))
        writer.put(PSAMPLE_ATTR_OIFINDEX, UInt16(3))
        writer.put(PSAMPLE_ATTR_SAMPLE_RATE, UInt32(10))
        writer.put(PSAMPLE_ATTR_ORIGSIZE, UInt32(1500))
        writer.put(PSAMPLE_ATTR_SAMPLE_GROUP, UInt32(5))
        writer.put(PSAMPLE_ATTR_GROUP_SEQ, UInt32(17))
        writer.put(PSAMPLE_ATTR_OUT_TC, UInt16(6))
        writer.putFlag(UInt16(PSAMPLE_ATTR_PAD))
        writer.put(PSAMPLE_ATTR_OUT_TC_OCC, UInt64(4096))
        writer.put(PSAMPLE_ATTR_LATENCY, UInt64(1200))
        writer.put(PSAMPLE_ATTR_TIMESTAMP, UInt64(1_700_000_000_123_456_789))
        writer.put(PSAMPLE_ATTR_PROTO, UInt16(0x0800))
        writer.put(PSAMPLE_ATTR_GROUP_REFCOUNT, UInt32(4))
        writer.put(UInt16(PSAMPLE_ATTR_DATA), bytes: packet)
        writer.putNested(UInt16(PSAMPLE_ATTR_TUNNEL)) { tunnel in
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_ID, network: UInt64(99))
            tunnel.putFlag(PSAMPLE_TUNNEL_KEY_ATTR_IPV4_INFO_BRIDGE)
            addresses(&tunnel)
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_TOS, network: UInt8(0x10))
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_TTL, network: UInt8(64))
            tunnel.putFlag(PSAMPLE_TUNNEL_KEY_ATTR_DONT_FRAGMENT)
            tunnel.putFlag(PSAMPLE_TUNNEL_KEY_ATTR_CSUM)
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC, network: UInt16(5000))
            tunnel.put(PSAMPLE_TUNNEL_KEY_ATTR_TP_DST, network: UInt16(6081))
            tunnel.putFlag(PSAMPLE_TUNNEL_KEY_ATTR_OAM)
            tunnel.put(UInt16(PSAMPLE_TUNNEL_KEY_ATTR_GENEVE_OPTS.rawValue), bytes: [1, 2, 3, 4])
        }
        writer.put(UInt16(CL_PSAMPLE_ATTR_USER_COOKIE), bytes: [0xAB, 0xCD, 0xEF])
        writer.putFlag(UInt16(CL_PSAMPLE_ATTR_SAMPLE_PROBABILITY))
    }
}
