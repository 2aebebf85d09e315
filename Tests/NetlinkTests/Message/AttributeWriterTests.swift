import CLinux
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct AttributeWriterTests {
    private func written(_ body: (inout AttributeWriter) -> Void) -> [UInt8] {
        var writer = AttributeWriter()
        body(&writer)
        return writer.bytes
    }

    @Test func `An integer follows its length and type`() {
        #expect(written { $0.put(4, UInt32(0x0102_0304).littleEndian) } == bytes("0800 0400 04030201"))
    }

    @Test func `A payload is padded to four bytes, which its length does not count`() {
        #expect(written { $0.put(1, UInt8(0xAA)) } == bytes("0500 0100 aa000000"))
        #expect(written { $0.put(1, UInt16(0x0201).littleEndian) } == bytes("0600 0100 01020000"))
    }

    @Test func `A 64-bit integer is aligned to four bytes`() {
        #expect(
            written {
                $0.put(1, UInt32(0))
                $0.put(2, UInt64(1).littleEndian)
            } == bytes("0800 0100 00000000 0c00 0200 01000000 00000000"))
    }

    @Test func `An integer in network order is big-endian`() {
        #expect(written { $0.put(3, UInt16(0x0102), order: .network) } == bytes("0600 0300 01020000"))
    }

    @Test func `Addresses are in network order`() throws {
        let v4 = try #require(IPAddress("192.0.2.1"))
        let v6 = try #require(IPAddress("2001:db8::1"))
        #expect(written { $0.put(1, v4) } == bytes("0800 0100 c0000201"))
        #expect(written { $0.put(1, v6) } == bytes("1400 0100 20010db8 00000000 00000000 00000001"))
    }

    @Test func `A string ends with a zero byte, which its length counts`() {
        #expect(written { $0.put(3, "veth0") } == bytes("0a00 0300 7665746830 00 0000"))
    }

    @Test func `A flag is only a header`() {
        #expect(written { $0.putFlag(16) } == bytes("0400 1000"))
    }

    @Test func `A nested attribute has NLA_F_NESTED and the length of its contents`() {
        #expect(
            written {
                $0.putNested(8) {
                    $0.put(2, UInt32(1400).littleEndian)
                    $0.putNested(1) { $0.put(1, UInt8(7)) }
                }
            } == bytes("1800 0880 0800 0200 78050000 0c00 0180 0500 0100 07000000"))
    }

    @Test func `An empty nested attribute is only a header`() {
        #expect(written { $0.putNested(5) { _ in } } == bytes("0400 0580"))
    }

    @Test func `The longest payload fits`() {
        var writer = AttributeWriter()
        writer.put(1, bytes: [UInt8](repeating: 1, count: 65531))
        #expect(writer.error == nil)
        #expect(writer.bytes.prefix(2) == [0xFF, 0xFF])
        #expect(writer.bytes.count == 65536)
    }

    @Test func `A payload that is too long is not written, and nothing after it`() {
        var writer = AttributeWriter()
        writer.put(1, UInt32(0))
        writer.put(2, bytes: [UInt8](repeating: 1, count: 65532))
        writer.put(3, UInt32(0))
        writer.putFlag(4)
        #expect(writer.error == .attributeTooLong(type: 2, bytes: 65536))
        #expect(writer.bytes.count == 8)
    }

    @Test func `A nested attribute that is too long is an error`() {
        var writer = AttributeWriter()
        writer.putNested(9) { nest in
            for _ in 0..<2 { nest.put(1, bytes: [UInt8](repeating: 1, count: 40000)) }
        }
        #expect(writer.error == .attributeTooLong(type: 9, bytes: 80012))
    }

    @Test func `A patch outside the written bytes changes nothing`() {
        var writer = AttributeWriter(after: [1, 2, 3, 4])
        writer.patch(UInt32(0), at: 1)
        writer.patch(UInt32(0), at: -1)
        #expect(writer.bytes == [1, 2, 3, 4])
    }
}
