import CLinux
import Testing

@testable import FastAFPacket

/// The memory of a simulated ring: hostile contents must not lead the reader out of it.
@Suite struct RingCursorTests {
    /// Four blocks of 4,096 bytes, with frames of 2,048.
    final class Memory {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * 4096, alignment: 4096)
        let version: PacketRing.Version

        init(_ version: PacketRing.Version) {
            self.version = version
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }

        deinit { bytes.deallocate() }

        func put<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
            bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
        }

        func cursor(restoresVLANTag: Bool = false) throws -> RingCursor {
            RingCursor(
                base: try #require(bytes.baseAddress),
                geometry: RingGeometry(version: version, frameSize: 2048, blockSize: 4096, blockCount: 4),
                restoresVLANTag: restoresVLANTag)
        }

        /// One v3 packet of `length` bytes, each of them `fill`, `mac` bytes after its header.
        func packet(
            at offset: Int, next: UInt32 = 0, fill: UInt8, mac: UInt16 = 82, length: UInt32 = 60, wire: UInt32 = 60,
            status: UInt32 = 1, tag: UInt32 = 0
        ) {
            // struct tpacket3_hdr, field by field.
            for (index, field) in [next, 5, 7, length, wire, status].enumerated() { put(field, at: offset + 4 * index) }
            put(mac, at: offset + 24)
            put(tag, at: offset + 32)
            put(UInt16(0x88A8), at: offset + 36)
            for index in 0..<Int(length) where offset + Int(mac) + index < bytes.count {
                put(fill, at: offset + Int(mac) + index)
            }
        }

        func block(_ index: Int, status: UInt32 = 1, packets: UInt32, first: UInt32 = 48, length: UInt32 = 4096) {
            put(status, at: index * 4096 + 8)
            put(packets, at: index * 4096 + 12)
            put(first, at: index * 4096 + 16)
            put(length, at: index * 4096 + 20)
        }

        func status(ofBlock index: Int) -> UInt32 { bytes.load(fromByteOffset: index * 4096 + 8, as: UInt32.self) }

        /// One v1 or v2 frame.
        func frame(_ index: Int, fill: UInt8, mac: UInt16 = 66, length: UInt32 = 60, status: UInt32 = 1) {
            let offset = index * 2048
            switch version {
            case .v1:
                put(
                    tpacket_hdr(
                        tp_status: UInt(status), tp_len: 60, tp_snaplen: length, tp_mac: mac, tp_net: mac &+ 14,
                        tp_sec: 5, tp_usec: 7), at: offset)
            case .v2, .v3:
                put(
                    tpacket2_hdr(
                        tp_status: status, tp_len: 60, tp_snaplen: length, tp_mac: mac, tp_net: mac &+ 14, tp_sec: 5,
                        tp_nsec: 7, tp_vlan_tci: 0, tp_vlan_tpid: 0, tp_padding: (0, 0, 0, 0)), at: offset)
            }
            for byte in 0..<60 { put(fill, at: offset + Int(mac) % 1900 + byte) }
        }

        func status(ofFrame index: Int) -> UInt32 { bytes.load(fromByteOffset: index * 2048, as: UInt32.self) }
    }

    private func fills(_ cursor: inout RingCursor) -> [UInt8] {
        var fills: [UInt8] = []
        _ = cursor.readBlock { bytes, packet in
            #expect(bytes.byteCount == packet.capturedLength)
            fills.append(bytes.byteCount > 0 ? bytes.unsafeLoad(as: UInt8.self) : 0)
        }
        return fills
    }

    @Test("A block's packets are read in order, and the block is released after the last")
    func block() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1)
        memory.packet(at: 208, next: 160, fill: 2)
        memory.packet(at: 368, fill: 3)
        memory.block(0, packets: 3)
        var cursor = try memory.cursor()
        var seen: [(UInt8, UInt32)] = []
        let count = cursor.readBlock { bytes, packet in
            seen.append((bytes.unsafeLoad(as: UInt8.self), memory.status(ofBlock: 0)))
            #expect(packet.stamp == 5_000_000_007 && packet.length == 60 && !packet.isTruncated)
        }
        #expect(count == 3 && seen.map(\.0) == [1, 2, 3] && seen.allSatisfy { $0.1 == 1 })
        #expect(memory.status(ofBlock: 0) == 0)
        #expect(cursor.readBlock { _, _ in } == 0 && cursor.statistics.malformed == 0)
    }

    @Test("Read one by one, a block is released after its last packet and not before")
    func single() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1)
        memory.packet(at: 208, fill: 2)
        memory.block(0, packets: 2)
        var cursor = try memory.cursor()
        #expect(cursor.readPacket { _, _ in } && memory.status(ofBlock: 0) == 1)
        #expect(cursor.readPacket { _, _ in } && memory.status(ofBlock: 0) == 0)
        #expect(!cursor.readPacket { _, _ in })
    }

    @Test("Blocks are read cyclically, and one that the kernel still fills stops the reader")
    func round() throws {
        let memory = Memory(.v3)
        var cursor = try memory.cursor()
        for turn in 0..<11 {
            let block = turn % 4
            #expect(fills(&cursor) == [])
            memory.packet(at: block * 4096 + 48, fill: UInt8(turn + 1))
            memory.block(block, packets: 1)
            #expect(fills(&cursor) == [UInt8(turn + 1)] && memory.status(ofBlock: block) == 0)
        }
    }

    @Test("An empty block is released and counted, and the next one is read")
    func empty() throws {
        let memory = Memory(.v3)
        memory.block(0, packets: 0)
        memory.packet(at: 4096 + 48, fill: 9)
        memory.block(1, packets: 1)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [9])
        #expect(cursor.statistics.emptyBlocks == 1 && memory.status(ofBlock: 0) == 0)
    }

    @Test("A ring of only empty blocks returns no packets")
    func allEmpty() throws {
        let memory = Memory(.v3)
        for index in 0..<4 { memory.block(index, packets: 0) }
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [] && cursor.statistics.emptyBlocks == 4)
    }

    @Test(
        "A packet with an offset or a length outside its block is skipped with the rest of the block",
        arguments: [
            (mac: 82, length: 4000), (mac: 0, length: 60), (mac: 67, length: 60), (mac: 65535, length: 1),
            (mac: 4040, length: 60), (mac: 82, length: .max),
        ] as [(mac: UInt16, length: UInt32)])
    func outOfBlock(mac: UInt16, length: UInt32) throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1)
        memory.packet(at: 208, next: 160, fill: 2)
        memory.put(mac, at: 208 + 24)
        memory.put(length, at: 208 + 12)
        memory.packet(at: 368, fill: 3)
        memory.block(0, packets: 3)
        memory.packet(at: 4096 + 48, fill: 4)
        memory.block(1, packets: 1)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [1] && fills(&cursor) == [4])
        #expect(cursor.statistics.malformed == 1 && memory.status(ofBlock: 0) == 0)
    }

    @Test("A first packet outside its block skips the block", arguments: [0, 40, 49, 4090, 4096, 1 << 31, .max])
    func firstOutOfBlock(first: UInt32) throws {
        let memory = Memory(.v3)
        memory.block(0, packets: 1, first: first)
        memory.packet(at: 4096 + 48, fill: 4)
        memory.block(1, packets: 1)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [4] && cursor.statistics.malformed == 1 && memory.status(ofBlock: 0) == 0)
    }

    @Test("A next packet outside its block ends the block", arguments: [1, 3, 4000, 4096, 1 << 31, .max])
    func nextOutOfBlock(next: UInt32) throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: next, fill: 1)
        memory.block(0, packets: 2)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [1] && cursor.statistics.malformed == 1 && memory.status(ofBlock: 0) == 0)
    }

    @Test(
        "Read one by one, a next packet outside its block or before its predecessor's end releases the block",
        arguments: [0, 1, 8, 40, 52, 4000, 4096, 1 << 31, .max])
    func nextOutOfBlockSingle(next: UInt32) throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: next, fill: 1)
        memory.block(0, packets: 2)
        var cursor = try memory.cursor()
        #expect(cursor.readPacket { _, _ in } && memory.status(ofBlock: 0) == 0)
        #expect(!cursor.readPacket { _, _ in } && cursor.statistics.malformed == 1)
    }

    @Test("A packet at an offset that is not a multiple of 8 is not read", arguments: [161, 164, 167])
    func unaligned(next: UInt32) throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: next, fill: 1)
        let fields: [UInt32] = [0, 5, 7, 60, 60, 1, 82]
        for (index, field) in fields.enumerated() {
            // Not with `put`, which needs an aligned offset.
            let bytes = withUnsafeBytes(of: field) { Array($0) }
            for (place, byte) in bytes.enumerated() { memory.put(byte, at: 48 + Int(next) + 4 * index + place) }
        }
        memory.block(0, packets: 2)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [1] && cursor.statistics.malformed == 1)
    }

    @Test("A packet count that is too large ends with the block, and no packet is read twice")
    func countTooLarge() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1)
        memory.packet(at: 208, next: 0, fill: 2)
        memory.block(0, packets: .max)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [1, 2] && cursor.statistics.malformed == 1)
    }

    @Test("A packet that fills its block to the last byte is complete")
    func lastByte() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, fill: 7, mac: 82, length: UInt32(4096 - 48 - 82))
        memory.block(0, packets: 1)
        var cursor = try memory.cursor()
        var lengths: [Int] = []
        _ = cursor.readBlock { bytes, _ in lengths.append(bytes.byteCount) }
        #expect(lengths == [4096 - 48 - 82])
    }

    @Test("Frames are read in order, and each is released once it is read", arguments: [PacketRing.Version.v1, .v2])
    func frames(version: PacketRing.Version) throws {
        let memory = Memory(version)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [])
        for index in 0..<8 { memory.frame(index, fill: UInt8(index + 1)) }
        var seen: [UInt8] = []
        for _ in 0..<4 {
            _ = cursor.readBlock { bytes, packet in
                seen.append(bytes.unsafeLoad(as: UInt8.self))
                #expect(packet.stamp == 5_000_000_000 + (version == .v1 ? 7000 : 7))
                #expect(packet.length == 60 && packet.capturedLength == 60)
            }
        }
        #expect(seen == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect((0..<8).allSatisfy { memory.status(ofFrame: $0) == 0 })
        // The second cycle.
        memory.frame(0, fill: 9)
        seen = []
        _ = cursor.readPacket { bytes, _ in seen.append(bytes.unsafeLoad(as: UInt8.self)) }
        #expect(seen == [9])
        #expect(!cursor.readPacket { _, _ in })
    }

    @Test(
        "A frame whose lengths point out of it is released and counted",
        arguments: [PacketRing.Version.v1, .v2], [(66, 2000), (0, 60), (51, 60), (65535, 60), (66, .max)])
    func outOfFrame(version: PacketRing.Version, shape: (mac: UInt16, length: UInt32)) throws {
        let memory = Memory(version)
        memory.frame(0, fill: 1, mac: shape.mac, length: shape.length)
        memory.frame(1, fill: 2)
        var cursor = try memory.cursor()
        #expect(fills(&cursor) == [2] && cursor.statistics.malformed == 1)
        #expect(memory.status(ofFrame: 0) == 0)
    }

    @Test("The timestamp's source is read from the status, hardware first")
    func sources() throws {
        let memory = Memory(.v3)
        let cases: [(UInt32, CaptureInfo.StampSource)] = [
            (1, .copy), (1 | 1 << 29, .software), (1 | 1 << 31, .hardware), (1 | 1 << 29 | 1 << 31, .hardware),
        ]
        for (index, (status, _)) in cases.enumerated() {
            memory.packet(at: 48 + 160 * index, next: 160, fill: 1, status: status)
        }
        memory.block(0, packets: 4)
        var cursor = try memory.cursor()
        var sources: [CaptureInfo.StampSource] = []
        _ = cursor.readBlock { _, packet in sources.append(packet.stampSource) }
        #expect(sources == cases.map(\.1))
    }

    @Test("Checksum, loss and truncation are read from status and lengths")
    func flags() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1, wire: 61, status: 1 | 4 | 8)
        memory.packet(at: 208, fill: 1)
        memory.block(0, packets: 2)
        var cursor = try memory.cursor()
        var flags: [[Bool]] = []
        _ = cursor.readBlock { _, packet in
            flags.append([packet.isTruncated, packet.isAfterLoss, packet.isChecksumPending])
        }
        #expect(flags == [[true, true, true], [false, false, false]])
    }

    @Test("A tag is restored between the addresses and the ethertype, with its ethertype if known")
    func tag() throws {
        let memory = Memory(.v3)
        memory.packet(at: 48, next: 160, fill: 1, status: 1 | 1 << 4 | 1 << 6, tag: 0xA064)
        memory.packet(at: 208, next: 160, fill: 2, status: 1 | 1 << 4, tag: 0xA064)
        memory.packet(at: 368, next: 160, fill: 3, mac: 68, status: 1 | 1 << 4, tag: 0xA064)
        memory.packet(at: 528, next: 160, fill: 4, length: 13, wire: 13, status: 1 | 1 << 4, tag: 0xA064)
        memory.packet(at: 688, fill: 5)
        memory.block(0, packets: 5)
        var cursor = try memory.cursor(restoresVLANTag: true)
        var packets: [[UInt8]] = []
        _ = cursor.readBlock { bytes, packet in
            #expect(packet.length == packet.capturedLength && packet.capturedLength == bytes.byteCount)
            packets.append(bytes.withUnsafeBytes { [UInt8]($0) })
        }
        let tagged = { (fill: UInt8, type: [UInt8]) in
            [UInt8](repeating: fill, count: 12) + type + [0xA0, 0x64] + [UInt8](repeating: fill, count: 48)
        }
        #expect(packets.count == 5)
        #expect(packets[0] == tagged(1, [0x88, 0xA8]) && packets[1] == tagged(2, [0x81, 0x00]))
        // No room before the frame, too short a frame, no tag: unchanged.
        #expect(packets[2].count == 60 && packets[3].count == 13 && packets[4] == [UInt8](repeating: 5, count: 60))
    }

    @Test("Random memory yields only packets inside it, and reading ends", arguments: PacketRing.Version.allCases)
    func random(version: PacketRing.Version) throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            let memory = Memory(version)
            for offset in stride(from: 0, to: memory.bytes.count, by: 4) {
                // Small numbers are more likely to pass the checks.
                let wide = UInt32.random(in: 0...(.max), using: &generator)
                memory.put(Bool.random(using: &generator) ? wide : wide % 4096, at: offset)
            }
            var cursor = try memory.cursor(restoresVLANTag: true)
            let base = try #require(UnsafeRawPointer(memory.bytes.baseAddress))
            for _ in 0..<8 {
                _ = cursor.readBlock { bytes, packet in
                    bytes.withUnsafeBytes { inner in
                        guard let start = inner.baseAddress else { return }
                        #expect(start >= base && start + inner.count <= base + memory.bytes.count)
                    }
                    #expect(packet.info.capturedLength == bytes.byteCount)
                    #expect(packet.info.interfaceIndex == packet.link.interfaceIndex)
                }
            }
        }
    }
}
