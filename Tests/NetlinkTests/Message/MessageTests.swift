import CLinux
import Testing

@testable import Netlink

@Suite struct MessageTests {
    @Test func `A request has a header, a family header and attributes`() throws {
        var header = ndmsg()
        header.ndm_family = 2
        header.ndm_ifindex = 2
        var message = MessageWriter(type: 30, flags: 1, fixed: header)
        message.attributes.put(1, UInt32(0xC000_0202), order: .network)
        #expect(
            try message.finished(addingFlags: 4, sequence: 7, portID: 4242)
                == bytes("24000000 1e00 0500 07000000 92100000 02000000 02000000 00000000 0800 0100 c0000202"))
    }

    @Test func `A family header is padded before the attributes`() throws {
        var message = MessageWriter(type: 16, fixed: UInt8(9))
        message.attributes.putFlag(1)
        #expect(
            try message.finished() == bytes("18000000 1000 0000 00000000 00000000 09000000 0400 0100"))
    }

    @Test func `An attribute's error is thrown when the message is finished`() {
        var message = MessageWriter(type: 16)
        message.attributes.put(1, bytes: [UInt8](repeating: 0, count: 70000))
        #expect(throws: NetlinkFormatError.attributeTooLong(type: 1, bytes: 70004)) { try message.finished() }
    }

    @Test func `A datagram's messages are read one by one`() throws {
        let lengths = try decodeAll(Captured.addresses) { message in message.payload.count }
        #expect(lengths == [64, 56, 64])
    }

    @Test func `A message has type, flags, sequence and port`() throws {
        let seen = try decodeAll(Captured.addresses) { message in
            [UInt32(message.type), UInt32(message.flags), message.sequence, message.portID]
        }
        #expect(seen == Array(repeating: [20, 0x22, 7, 4242], count: 3))
    }

    @Test func `The last message may lack its padding`() throws {
        let two =
            message(type: 17, sequence: 1, payload: [1, 2, 3, 4]) + bytes("11000000 1100 0000 01000000 00000000 09")
        #expect(try decodeAll(two) { $0.payload.count } == [4, 1])
    }

    @Test(arguments: 1..<16) func `A truncated message header is an error`(count: Int) {
        let raw = Array(Captured.ack.prefix(count))
        #expect(throws: NetlinkFormatError.cutMessageHeader(bytes: count)) { try decodeAll(raw) { _ in 0 } }
    }

    @Test(arguments: [UInt32(0), 15, 37, 65536, .max]) func `An impossible message length is an error`(length: UInt32) {
        let raw = native(length) + Captured.ack.dropFirst(4)
        #expect(throws: NetlinkFormatError.messageLength(Int(length), available: 36)) { try decodeAll(raw) { _ in 0 } }
    }

    @Test func `A truncated family header is an error`() {
        #expect(throws: NetlinkFormatError.cutFixedHeader(bytes: 4, needed: 12)) {
            try decodeAll(message(type: 24, sequence: 1, payload: [2, 32, 0, 0])) { m throws(NetlinkFormatError) in
                try m.fixed(as: rtmsg.self).rtm_type
            }
        }
    }

    @Test func `A message shorter than its family header has no attributes`() throws {
        let raw = message(type: 24, sequence: 1, payload: [2, 32, 0, 0])
        let found = try decodeAll(raw) { message in
            var reader = message.attributes(after: rtmsg.self)
            return reader.next()
        }
        #expect(found == [false])
    }
}
