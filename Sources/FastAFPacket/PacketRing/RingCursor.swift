import CLinux
import Glibc
import Synchronization

/// The reader's position in a ring's memory, which the kernel writes. Every offset and length is checked before use. A
/// status word is loaded with acquire and stored with release ordering, because it transfers the frame's ownership.
///
/// Source: packet_mmap.rst, tpacket_rcv() and prb_open_block() in net/packet/af_packet.c.
@usableFromInline
struct RingCursor {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let geometry: RingGeometry
    @usableFromInline let restoresVLANTag: Bool
    /// The index of the next block (v3) or frame (v1, v2).
    @usableFromInline var index = 0
    /// Packets left in the current v3 block, and the offset of the next one.
    @usableFromInline var packetsLeft = 0
    @usableFromInline var offset = 0
    @usableFromInline var statistics = RingStatistics()
    /// The time of the last check of the interface, CLOCK_MONOTONIC.
    var lastCheck: Int64 = 0

    init(base: UnsafeMutableRawPointer, geometry: RingGeometry, restoresVLANTag: Bool) {
        self.base = base
        self.geometry = geometry
        self.restoresVLANTag = restoresVLANTag && geometry.version != .v1
    }

    /// Calls `body` with the next packet, if there is one, and releases its frame or block.
    @inlinable
    mutating func readPacket(_ body: (RawSpan, borrowing RingPacket) -> Void) -> Bool {
        geometry.version == .v3 ? readBlocks(atMost: 1, body) > 0 : readFrames(atMost: 1, body) > 0
    }

    /// Calls `body` with each ready packet: those of one block (v3), or as many frames as fit in a block (v1, v2).
    @inlinable
    mutating func readBlock(_ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        geometry.version == .v3
            ? readBlocks(atMost: .max, body) : readFrames(atMost: geometry.framesPerBlock, body)
    }

    // MARK: TPACKET_V3

    /// Calls `body` with up to `limit` packets of one block. Returns 0 only if no block with a packet is ready.
    @inlinable
    mutating func readBlocks(atMost limit: Int, _ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        while true {
            if packetsLeft == 0, !openBlock() { return 0 }
            let count =
                restoresVLANTag
                ? readPackets(atMost: limit, restoringTag: true, body)
                : readPackets(atMost: limit, restoringTag: false, body)
            if packetsLeft == 0 { releaseBlock() }
            if count > 0 { return count }
        }
    }

    /// Calls `body` with up to `limit` packets of the open block, and sets the number of packets left.
    ///
    /// - Parameter restoresTag: passed as a constant, so that the loop for rings that restore no tags has no call.
    @inlinable
    @inline(__always)
    mutating func readPackets(
        atMost limit: Int, restoringTag restoresTag: Bool, _ body: (RawSpan, borrowing RingPacket) -> Void
    ) -> Int {
        // Copies, because the compiler must assume that `body` changes the properties.
        let (blockSize, wanted) = (geometry.blockSize, min(packetsLeft, limit))
        var header = base + (index &* blockSize &+ offset)
        var room = blockSize &- offset
        var number = 1
        while hand(over: header, .v3, room: room, restoringTag: restoresTag, body) {
            let step = Int(header.assumingMemoryBound(to: tpacket3_hdr.self).pointee.tp_next_offset)
            if number == wanted {
                pause(after: number, step: step, place: blockSize &- room &+ step)
                return number
            }
            header += step
            room &-= step
            guard Self.isStep(step), room >= PacketRing.Version.v3.minimumBytes else {
                abandonBlock()
                return number
            }
            number &+= 1
        }
        // The offset of the next packet is in this packet's header.
        abandonBlock()
        return number &- 1
    }

    /// Returns whether the next packet may be this many bytes after a packet. The offset must always increase, so that
    /// no packet count can hold the reader in one block indefinitely.
    @inlinable
    @inline(__always)
    static func isStep(_ bytes: Int) -> Bool { bytes & 7 == 0 && bytes >= PacketRing.Version.v3.headerBytes }

    // Neither is inlined: they run once a block, and the loop needs the registers.

    /// Records that `count` packets of the block were read, and that the next one, if there is one, is `step` bytes
    /// after the last, at the offset `place`.
    @usableFromInline
    @inline(never)
    mutating func pause(after count: Int, step: Int, place: Int) {
        packetsLeft &-= count
        offset = place
        if packetsLeft > 0, !Self.isStep(step) || !isPlace(place) { abandonBlock() }
    }

    /// Records that the rest of the block cannot be read.
    @usableFromInline
    @inline(never)
    mutating func abandonBlock() {
        statistics.malformed &+= 1
        packetsLeft = 0
    }

    /// Returns whether a packet's header at this offset fits in a block.
    @inlinable
    func isPlace(_ offset: Int) -> Bool {
        offset >= 48 && offset.isMultiple(of: 8) && offset <= geometry.blockSize &- PacketRing.Version.v3.minimumBytes
    }

    /// Advances to the first packet of the next block. Returns `false` if the kernel is still filling it. Releases
    /// empty and malformed blocks.
    @usableFromInline
    mutating func openBlock() -> Bool {
        // Bounded, so that a kernel that delivers only empty blocks cannot hold the caller indefinitely.
        for _ in 0..<geometry.blockCount {
            let block = base + index &* geometry.blockSize
            guard Self.blockStatus(block).pointee.load(ordering: .acquiring) & UInt32(TP_STATUS_USER) != 0 else {
                return false
            }
            let header = block.loadUnaligned(fromByteOffset: 8, as: tpacket_hdr_v1.self)
            packetsLeft = Int(header.num_pkts)
            offset = Int(header.offset_to_first_pkt)
            if packetsLeft > 0, isPlace(offset) { return true }
            if packetsLeft == 0 { statistics.emptyBlocks &+= 1 } else { statistics.malformed &+= 1 }
            packetsLeft = 0
            releaseBlock()
        }
        return false
    }

    @usableFromInline
    mutating func releaseBlock() {
        Self.blockStatus(base + index &* geometry.blockSize).pointee
            .store(UInt32(TP_STATUS_KERNEL), ordering: .releasing)
        index = index &+ 1 == geometry.blockCount ? 0 : index &+ 1
    }

    /// The status word of a block, which follows its version and the offset of its private area.
    private static func blockStatus(_ block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (block + 8).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    // MARK: TPACKET_V1 and V2

    /// Calls `body` with up to `limit` frames.
    @inlinable
    mutating func readFrames(atMost limit: Int, _ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        var count = 0
        var checked = 0
        while count < limit, checked < geometry.framesPerBlock {
            let frame = base + geometry.frameOffset(index)
            guard isReady(frame) else { break }
            if hand(over: frame, geometry.version, room: geometry.frameSize, restoringTag: restoresVLANTag, body) {
                count &+= 1
            } else {
                statistics.malformed &+= 1
            }
            releaseFrame(frame)
            checked &+= 1
        }
        return count
    }

    @usableFromInline
    func isReady(_ frame: UnsafeMutableRawPointer) -> Bool {
        switch geometry.version {
        case .v1:
            // tp_status of TPACKET_V1 is an unsigned long.
            frame.assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .acquiring)
                & UInt(TP_STATUS_USER) != 0
        case .v2, .v3:
            frame.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
                & UInt32(TP_STATUS_USER) != 0
        }
    }

    @usableFromInline
    mutating func releaseFrame(_ frame: UnsafeMutableRawPointer) {
        switch geometry.version {
        case .v1:
            frame.assumingMemoryBound(to: Atomic<UInt>.self).pointee.store(UInt(TP_STATUS_KERNEL), ordering: .releasing)
        case .v2, .v3:
            frame.assumingMemoryBound(to: Atomic<UInt32>.self).pointee
                .store(UInt32(TP_STATUS_KERNEL), ordering: .releasing)
        }
        index = index &+ 1 == geometry.framesPerBlock &* geometry.blockCount ? 0 : index &+ 1
    }

    // MARK: One packet

    /// Calls `body` with one packet. Returns `false` if its lengths point out of its room, counted from `header`.
    ///
    /// - Parameter version: the ring's version; passed as a constant so that inlining resolves the choices that depend
    ///   on it.
    @inlinable
    @inline(__always)
    func hand(
        over header: UnsafeMutableRawPointer, _ version: PacketRing.Version, room: Int, restoringTag restoresTag: Bool,
        _ body: (RawSpan, borrowing RingPacket) -> Void
    ) -> Bool {
        let start: Int
        let length: Int
        switch version {
        case .v1:
            let fields = header.assumingMemoryBound(to: tpacket_hdr.self)
            (start, length) = (Int(fields.pointee.tp_mac), Int(fields.pointee.tp_snaplen))
        case .v2:
            let fields = header.assumingMemoryBound(to: tpacket2_hdr.self)
            (start, length) = (Int(fields.pointee.tp_mac), Int(fields.pointee.tp_snaplen))
        case .v3:
            let fields = header.assumingMemoryBound(to: tpacket3_hdr.self)
            (start, length) = (Int(fields.pointee.tp_mac), Int(fields.pointee.tp_snaplen))
        }
        guard start >= version.minimumBytes, start &+ length <= room else { return false }
        let tagBytes = restoresTag && Self.restoreTag(header, version, start, length) ? 4 : 0
        let bytes = UnsafeRawBufferPointer(start: header + (start &- tagBytes), count: length &+ tagBytes)
        // Called in one place, so that it is inlined and its variables can stay in registers.
        body(bytes.bytes, RingPacket(header, version, capturedLength: length &+ tagBytes, restoredBytes: tagBytes))
        return true
    }

    /// Restores the tag in the gap reserved before the frame. Returns `false` if there is no tag or the frame is too
    /// short.
    @usableFromInline
    @inline(never)
    static func restoreTag(
        _ header: UnsafeMutableRawPointer, _ version: PacketRing.Version, _ start: Int, _ length: Int
    ) -> Bool {
        let packet = RingPacket(header, version, capturedLength: length, restoredBytes: 0)
        // Both MAC addresses move before the tag; the ethertype stays after it.
        guard let tag = packet.vlanTag, length >= 14, start >= version.minimumBytes + 4 else { return false }
        let frame = header + (start - 4)
        memmove(frame, header + start, 12)
        frame.storeBytes(of: packet.vlanProtocol.bigEndian, toByteOffset: 12, as: UInt16.self)
        frame.storeBytes(of: tag.bigEndian, toByteOffset: 14, as: UInt16.self)
        return true
    }
}
