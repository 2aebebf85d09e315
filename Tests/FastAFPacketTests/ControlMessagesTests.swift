import CLinux
import Glibc
import Testing

@testable import FastAFPacket

@Suite struct ControlMessagesTests {
    private struct Seen: Equatable {
        var level: Int32
        var type: Int32
        var data: [UInt8]
    }

    private func walk(_ bytes: [UInt8]) -> [Seen] {
        bytes.withUnsafeBytes { raw in
            ControlMessages(raw).map { Seen(level: $0.level, type: $0.type, data: Array($0.data)) }
        }
    }

    private func native<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value, Array.init)
    }

    /// A control message with an arbitrary length field.
    private func raw(length: Int, level: Int32 = 1, type: Int32 = 2, data: [UInt8] = []) -> [UInt8] {
        native(length) + native(level) + native(type) + data
    }

    /// Two messages as the kernel writes them: 4 and 8 bytes of data.
    private var two: [UInt8] {
        raw(length: 20, level: 0, type: IP_TTL, data: native(Int32(64))) + [0, 0, 0, 0]
            + raw(length: 24, level: 1, type: 37, data: native(UInt64(5)))
    }

    @Test func `messages come in order with their data alone`() {
        #expect(
            walk(two) == [
                Seen(level: 0, type: IP_TTL, data: native(Int32(64))),
                Seen(level: 1, type: 37, data: native(UInt64(5))),
            ])
    }

    @Test func `nothing is no message`() {
        #expect(walk([]).isEmpty)
    }

    @Test func `a message without data is one`() {
        #expect(walk(raw(length: 16)) == [Seen(level: 1, type: 2, data: [])])
    }

    @Test func `the last message may lack its padding`() {
        #expect(walk(raw(length: 17, data: [9])) == [Seen(level: 1, type: 2, data: [9])])
    }

    @Test func `every prefix gives the messages that are whole`() {
        for count in 0...two.count {
            let seen = walk(Array(two.prefix(count)))
            let whole = count >= 48 ? 2 : count >= 20 ? 1 : 0
            #expect(seen.count == whole, "first \(count) bytes")
            #expect(seen == Array(walk(two).prefix(whole)))
        }
    }

    @Test(arguments: [0, 1, 8, 15]) func `a length below the header's ends the walk`(length: Int) {
        #expect(walk(raw(length: length, data: [UInt8](repeating: 1, count: 32))).isEmpty)
    }

    @Test(arguments: [49, 4096, Int.max, Int.max - 7, -1, Int.min])
    func `a length past the end ends the walk`(length: Int) {
        #expect(walk(raw(length: length, data: [UInt8](repeating: 1, count: 32))).isEmpty)
    }

    @Test func `a hostile second message leaves the first`() {
        for length in [0, 15, 100, Int.max] {
            let seen = walk(raw(length: 20, data: native(Int32(64))) + [0, 0, 0, 0] + raw(length: length))
            #expect(seen == [Seen(level: 1, type: 2, data: native(Int32(64)))])
        }
    }

    @Test func `memory that is not aligned is read all the same`() {
        let shifted = [0xEE] + two
        let seen = shifted.withUnsafeBytes { memory in
            ControlMessages(UnsafeRawBufferPointer(rebasing: memory[1...])).map { Array($0.data) }
        }
        #expect(seen == [native(Int32(64)), native(UInt64(5))])
    }

    @Test func `every changed byte keeps the data within the buffer`() {
        for place in two.indices {
            for mask: UInt8 in [0x01, 0x04, 0x10, 0x80, 0xFF] {
                var changed = two
                changed[place] ^= mask
                let inside = changed.withUnsafeBytes { memory in
                    guard let base = memory.baseAddress else { return false }
                    return ControlMessages(memory).allSatisfy { message in
                        guard let start = message.data.baseAddress else { return message.data.isEmpty }
                        return start >= base && start + message.data.count <= base + memory.count
                    }
                }
                #expect(inside, "byte \(place) changed by \(mask)")
            }
        }
    }

    @Test func `a value needs as many bytes as it has`() {
        let short = raw(length: 19, data: [1, 2, 3])
        short.withUnsafeBytes { memory in
            var messages = ControlMessages(memory)
            let message = messages.next()
            #expect(message?.load(as: UInt32.self) == nil)
            #expect(message?.load(as: UInt8.self) == 1)
            #expect(message?.load(as: UInt16.self) == UInt16(littleEndian: 0x0201))
        }
    }

    @Test func `a value may be followed by more`() {
        let long = raw(length: 24, data: native(UInt32(7)) + native(UInt32(8)))
        long.withUnsafeBytes { memory in
            var messages = ControlMessages(memory)
            let message = messages.next()
            #expect(message?.load(as: UInt32.self) == 7)
        }
    }
}

@Suite struct ControlMessageWriterTests {
    @Test func `what the writer wrote the walk reads`() {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { storage in
            storage.initializeMemory(as: UInt8.self, repeating: 0xEE)
            var writer = ControlMessageWriter(storage)
            #expect(writer.append(level: 0, type: IP_TTL, Int32(1)) == true)
            #expect(writer.append(level: 1, type: CL_SCM_TS_OPT_ID, UInt32(0xFFFF_FFFF)) == true)
            #expect(writer.append(level: 41, type: 50, UInt64.max) == true)
            #expect(writer.length == 72)
            let messages = Array(ControlMessages(UnsafeRawBufferPointer(rebasing: storage[..<writer.length])))
            #expect(messages.map(\.level) == [0, 1, 41])
            #expect(messages.map(\.type) == [IP_TTL, CL_SCM_TS_OPT_ID, 50])
            #expect(messages.map(\.data.count) == [4, 4, 8])
            #expect(messages[0].load(as: Int32.self) == 1)
            #expect(messages[1].load(as: UInt32.self) == .max)
            #expect(messages[2].load(as: UInt64.self) == .max)
        }
    }

    @Test func `a full writer refuses and writes nothing`() {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { storage in
            storage.initializeMemory(as: UInt8.self, repeating: 0xEE)
            var writer = ControlMessageWriter(UnsafeMutableRawBufferPointer(rebasing: storage[..<24]))
            #expect(writer.append(level: 0, type: 1, UInt64(1)) == true)
            let before = Array(storage)
            #expect(writer.append(level: 0, type: 2, UInt8(1)) == false)
            #expect(writer.length == 24)
            #expect(Array(storage) == before)
        }
    }

    @Test func `storage too small for one message takes none`() {
        withUnsafeTemporaryAllocation(byteCount: 23, alignment: 8) { storage in
            var writer = ControlMessageWriter(storage)
            #expect(writer.append(level: 0, type: 1, Int32(1)) == false)
            #expect(writer.length == 0)
        }
    }
}
