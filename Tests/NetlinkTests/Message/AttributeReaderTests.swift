import CLinux
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct AttributeReaderTests {
    @Test func `Attributes are read in order with type and payload`() {
        var seen: [[UInt8]] = []
        let error = walk(bytes("0500 0100 aa000000 0800 0200 01020304 0400 0300")) {
            seen.append([UInt8($0.type)] + $0.payload)
        }
        #expect(seen == [[1, 0xAA], [2, 1, 2, 3, 4], [3]])
        #expect(error == nil)
    }

    @Test func `The last attribute may lack its padding`() {
        var count = 0
        #expect(walk(bytes("0500 0100 aa")) { _ in count += 1 } == nil)
        #expect(count == 1)
    }

    @Test func `The flags of the type are reported and masked`() {
        var seen: [(UInt16, Bool, Bool)] = []
        _ = walk(bytes("0400 0580 0400 0640 0400 07c0 0400 0800")) {
            seen.append(($0.type, $0.isMarkedNested, $0.isMarkedNetworkOrder))
        }
        #expect(seen.map(\.0) == [5, 6, 7, 8])
        #expect(seen.map(\.1) == [true, false, true, false])
        #expect(seen.map(\.2) == [false, true, true, false])
    }

    @Test func `An integer marked as in network order is converted`() {
        _ = walk(bytes("0800 0140 00000102")) { #expect($0.integer(as: UInt32.self) == 0x0102) }
        _ = walk(bytes("0800 0100 00000102")) {
            #expect($0.integer(as: UInt32.self) == UInt32(littleEndian: 0x0201_0000))
        }
    }

    @Test func `A family in network order needs no marks, also in nested attributes`() {
        var values: [UInt16?] = []
        let error = walk(bytes("0c00 0180 0600 0100 01020000 0600 0200 0304 0000"), order: .network) {
            if $0.type == 1 {
                $0.nested { inner in while inner.next() { values.append(inner.integer(as: UInt16.self)) } }
            } else {
                values.append($0.integer(as: UInt16.self))
            }
        }
        #expect(values == [0x0102, 0x0304])
        #expect(error == nil)
    }

    @Test(arguments: [0, 1, 2, 3, 5, 8]) func `An integer of the wrong size is an error and ends the iteration`(
        size: Int
    ) {
        let attribute = native(UInt16(4 + size)) + native(UInt16(9)) + [UInt8](repeating: 1, count: size)
        let padded = attribute + [UInt8](repeating: 0, count: (4 - size % 4) % 4)
        var count = 0
        let error = walk(padded + bytes("0800 0100 01000000")) {
            count += 1
            #expect($0.integer(as: UInt32.self) == nil)
        }
        #expect(error == .attributeSize(type: 9, bytes: size))
        #expect(count == 1)
    }

    @Test func `An address is IPv4 or IPv6 by its size`() {
        _ = walk(bytes("0800 0100 c0000201")) { #expect($0.address() == .v4(0xC000_0201)) }
        _ = walk(bytes("1400 0100 20010db8 00000000 00000000 00000001")) {
            #expect($0.address()?.description == "2001:db8::1")
        }
        #expect(walk(bytes("0a00 0100 c0000201 0101 0000")) { _ = $0.address() } == .attributeSize(type: 1, bytes: 6))
    }

    @Test func `A hardware address of another size is nil and not an error`() {
        _ = walk(bytes("0a00 0200 0200 0000 0001 0000")) {
            #expect($0.macAddress()?.description == "02:00:00:00:00:01")
        }
        let error = walk(bytes("0800 0200 0a000001")) { #expect($0.macAddress() == nil) }
        #expect(error == nil)
    }

    @Test func `A string ends at its zero byte or at the end of the payload`() {
        _ = walk(bytes("0a00 0300 7665 7468 3000 0000")) { #expect($0.string() == "veth0") }
        _ = walk(bytes("0800 0300 76657468")) { #expect($0.string() == "veth") }
        _ = walk(bytes("0400 0300")) { #expect($0.string().isEmpty) }
    }

    @Test func `Invalid UTF-8 in a string is replaced`() {
        _ = walk(bytes("0700 0300 61ff62 00")) { #expect($0.string() == "a\u{FFFD}b") }
    }

    @Test func `A structure may be longer than expected but not shorter`() {
        _ = walk(bytes("0c00 0100 01000000 02000000")) {
            #expect($0.structure(as: UInt32.self) == UInt32(littleEndian: 1))
        }
        #expect(
            walk(bytes("0600 0100 0100 0000")) { _ = $0.structure(as: UInt32.self) }
                == .attributeSize(type: 1, bytes: 2))
    }

    @Test func `An error in nested attributes is recorded in the outer reader`() {
        var count = 0
        let error = walk(bytes("0c00 0180 ff00 0200 00000000 0400 0300")) {
            count += 1
            $0.nested { inner in while inner.next() {} }
        }
        #expect(error == .attributeLength(type: 2, length: 255, available: 8))
        #expect(count == 1)
    }

    @Test(arguments: [0, 1, 2, 3]) func `A length shorter than the header is an error`(length: Int) {
        let raw = native(UInt16(length)) + native(UInt16(7)) + [0, 0, 0, 0]
        #expect(
            walk(raw) { _ in Issue.record("unexpected attribute") }
                == .attributeLength(type: 7, length: length, available: 8))
    }

    @Test(arguments: [9, 255, 65535]) func `A length past the end is an error`(length: Int) {
        let raw = native(UInt16(length)) + native(UInt16(7)) + [0, 0, 0, 0]
        #expect(
            walk(raw) { _ in Issue.record("unexpected attribute") }
                == .attributeLength(type: 7, length: length, available: 8))
    }

    @Test(arguments: 1...3) func `A truncated header is an error`(count: Int) {
        #expect(walk([UInt8](repeating: 4, count: count)) { _ in } == .cutAttributeHeader(bytes: count))
    }

    @Test func `An empty buffer has no attribute and no error`() {
        #expect(walk([]) { _ in Issue.record("unexpected attribute") } == nil)
    }

    @Test func `The reader reads what the writer wrote`() throws {
        let address = try #require(IPAddress("fe80::1"))
        var writer = AttributeWriter()
        writer.put(1, UInt64.max - 1)
        writer.put(2, "name")
        writer.putNested(3) { $0.put(1, address) }
        writer.put(4, UInt16(500), order: .network)
        var seen = 0
        let error = walk(writer.bytes) { reader in
            seen += 1
            switch reader.type {
            case 1: #expect(reader.integer(as: UInt64.self) == UInt64.max - 1)
            case 2: #expect(reader.string() == "name")
            case 3:
                #expect(reader.isMarkedNested)
                reader.nested { inner in while inner.next() { #expect(inner.address() == address) } }
            case 4: #expect(reader.integer(as: UInt16.self).map { UInt16(bigEndian: $0) } == 500)
            default: Issue.record("unexpected attribute \(reader.type)")
            }
        }
        #expect(error == nil)
        #expect(seen == 4)
    }

    @Test func `A reset reader reads the next message and has no error`() {
        let first = bytes("0900 0100 00")
        let second = bytes("0800 0200 07000000")
        first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                var reader = AttributeReader(first)
                #expect(!reader.next() && reader.error != nil)
                reader.reset(to: second)
                #expect(reader.next() && reader.error == nil)
                #expect(reader.type == 2 && reader.integer(as: UInt32.self) == 7)
            }
        }
    }
}
