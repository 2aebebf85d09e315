import CLinux
import Netlink
import Testing

@testable import Conntrack

/// Real flows, truncated and modified at every byte. None may trap or decode as complete when truncated.
@Suite struct HostileFlowTests {
    @Test(arguments: Captured.flows) func `A truncated message is an error`(message: [UInt8]) {
        for count in 1..<message.count {
            #expect(throws: NetlinkFormatError.self, "truncated to \(count) bytes") {
                try flows(Array(message.prefix(count)))
            }
        }
    }

    /// The message header has the truncated length, so only the attributes can show the truncation.
    @Test(arguments: Captured.flows)
    func `Truncated attributes within an intact message are an error, or both tuples are complete`(
        message: [UInt8]
    ) throws {
        let whole = try flow(message)
        for count in 16..<message.count {
            var cut = Array(message.prefix(count))
            cut.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(count), Array.init))
            guard let flow = try? flows(cut).first else { continue }
            // This is only possible between attributes after both tuples; padding may be missing.
            #expect(flow.original == whole.original && flow.reply == whole.reply)
        }
    }

    @Test(arguments: Captured.flows) func `A message with one changed byte is a flow that can be written, or an error`(
        message: [UInt8]
    ) {
        var rejected = 0
        var written = 0
        for index in message.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF, message[index] &+ 1, message[index] &- 1] as [UInt8] {
                var changed = message
                changed[index] = value
                guard let flows = try? flows(changed) else {
                    rejected += 1
                    continue
                }
                for format in FlowWriter.Format.allCases {
                    var writer = FlowWriter(format, [.family, .id, .times], capacity: 64)
                    if format == .csv { writer.clear() }
                    for flow in flows { writer.append(flow, event: .new, at: .max) }
                    #expect(writer.bytes.count { $0 == UInt8(ascii: "\n") } == flows.count, "byte \(index) is \(value)")
                }
                for flow in flows {
                    #expect(!flow.isTranslated || flow.translated != flow.original, "byte \(index) is \(value)")
                    written += 1
                }
            }
        }
        #expect(rejected > 0 && written > 0)
    }

    @Test func `A tuple with addresses of two families is an error`() throws {
        let ipv4 = tuple(.udp, "192.0.2.1:1", "192.0.2.2:2")
        var mixed = ipv4
        mixed.source = address("2001:db8::1")
        var writer = MessageWriter(type: ConntrackMessage.new, fixed: nfgenmsg())
        writer.attributes.putNested(UInt16(CTA_TUPLE_ORIG.rawValue)) { tuple in
            tuple.putNested(UInt16(CTA_TUPLE_IP.rawValue)) { addresses in
                addresses.put(UInt16(CTA_IP_V6_SRC.rawValue), mixed.source)
                addresses.put(UInt16(CTA_IP_V4_DST.rawValue), mixed.destination)
            }
            tuple.putNested(UInt16(CTA_TUPLE_PROTO.rawValue)) { $0.put(UInt16(CTA_PROTO_NUM.rawValue), UInt8(17)) }
        }
        ipv4.write(as: CTA_TUPLE_REPLY, to: &writer.attributes)
        let type = UInt16(CTA_TUPLE_ORIG.rawValue)
        #expect(throws: NetlinkFormatError.missingAttribute(type: type)) { try flows(try writer.finished()) }
    }

    @Test func `A missing tuple is an error`() throws {
        for (present, missing) in [(CTA_TUPLE_ORIG, CTA_TUPLE_REPLY), (CTA_TUPLE_REPLY, CTA_TUPLE_ORIG)] {
            var writer = MessageWriter(type: ConntrackMessage.new, fixed: nfgenmsg())
            tuple(.udp, "192.0.2.1:1", "192.0.2.2:2").write(as: present, to: &writer.attributes)
            #expect(throws: NetlinkFormatError.missingAttribute(type: UInt16(missing.rawValue))) {
                try flows(try writer.finished())
            }
        }
    }

    @Test(arguments: [
        (UInt16(CTA_TIMEOUT.rawValue), 2), (UInt16(CTA_TIMEOUT.rawValue), 8), (UInt16(CTA_ZONE.rawValue), 4),
        (UInt16(CTA_STATUS.rawValue), 3), (UInt16(CTA_MARK.rawValue), 0), (UInt16(CTA_ID.rawValue), 5),
    ])
    func `A value of the wrong size is an error`(type: UInt16, size: Int) throws {
        var writer = MessageWriter(type: ConntrackMessage.new, fixed: nfgenmsg())
        let udp = tuple(.udp, "192.0.2.1:1", "192.0.2.2:2")
        udp.write(as: CTA_TUPLE_ORIG, to: &writer.attributes)
        udp.inverted.write(as: CTA_TUPLE_REPLY, to: &writer.attributes)
        writer.attributes.put(type, bytes: [UInt8](repeating: 0, count: size))
        #expect(throws: NetlinkFormatError.attributeSize(type: type, bytes: size)) {
            try flows(try writer.finished())
        }
    }

    @Test func `The largest times are limited to Int64 and written as one line`() throws {
        var writer = MessageWriter(type: ConntrackMessage.new, fixed: nfgenmsg())
        let udp = tuple(.udp, "192.0.2.1:1", "192.0.2.2:2")
        udp.write(as: CTA_TUPLE_ORIG, to: &writer.attributes)
        udp.inverted.write(as: CTA_TUPLE_REPLY, to: &writer.attributes)
        writer.attributes.putNested(UInt16(CTA_TIMESTAMP.rawValue)) { times in
            times.put(UInt16(CTA_TIMESTAMP_START.rawValue), UInt64.max)
            times.put(UInt16(CTA_TIMESTAMP_STOP.rawValue), UInt64.max)
        }
        let flow = try flow(try writer.finished())
        #expect(flow.startTime == .max && flow.stopTime == .max)
        for format in FlowWriter.Format.allCases {
            var writer = FlowWriter(format, .times)
            if format == .csv { writer.clear() }
            writer.append(flow, at: .min)
            #expect(writer.bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        }
    }
}
