import CLinux
import Glibc
import Synchronization

/// The reader's place in a ring's memory, which the kernel writes: every offset and length is checked before it is used,
/// and a status word is loaded with acquire and stored with release ordering, since it hands the frame over.
///
/// Source: packet_mmap.rst, tpacket_rcv() and prb_open_block() in net/packet/af_packet.c.
@usableFromInline
struct RingCursor {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let geometry: RingGeometry
    @usableFromInline let restoresVLANTag: Bool
    /// The block (v3) or the frame (v1, v2) that comes next.
    @usableFromInline var index = 0
    /// Packets left in the v3 block that is being read, and where in it the next one is.
    @usableFromInline var packetsLeft = 0
    @usableFromInline var offset = 0
    @usableFromInline var statistics = RingStatistics()
    /// When the interface was looked after, CLOCK_MONOTONIC.
    var lastCheck: Int64 = 0

    init(base: UnsafeMutableRawPointer, geometry: RingGeometry, restoresVLANTag: Bool) {
        self.base = base
        self.geometry = geometry
        self.restoresVLANTag = restoresVLANTag && geometry.version != .v1
    }

    /// Hands over the next packet, if there is one, and gives its room back.
    @inlinable
    mutating func readPacket(_ body: (RawSpan, borrowing RingPacket) -> Void) -> Bool {
        geometry.version == .v3 ? readBlocks(atMost: 1, body) > 0 : readFrames(atMost: 1, body) > 0
    }

    /// Hands over what is ready: a block's packets (v3), or as many frames as a block holds (v1, v2).
    @inlinable
    mutating func readBlock(_ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        geometry.version == .v3
            ? readBlocks(atMost: .max, body) : readFrames(atMost: geometry.framesPerBlock, body)
    }

    // MARK: TPACKET_V3

    /// Hands over up to `limit` packets of one block. 0 only where no block with a packet is ready.
    @inlinable
    mutating func readBlocks(atMost limit: Int, _ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        var count = 0
        while count == 0 {
            if packetsLeft == 0, !openBlock() { return 0 }
            let block = base + index &* geometry.blockSize
            // In the loop a copy: what `body` does could otherwise change each of them, for all that the compiler knows.
            var (left, place) = (packetsLeft, offset)
            let blockSize = geometry.blockSize
            while left > 0, count < limit {
                let header = block + place
                guard hand(over: header, .v3, room: blockSize &- place, body) else {
                    // The way to the next packet is in this one's header.
                    left = 0
                    break
                }
                count &+= 1
                left &-= 1
                let step = Int(header.assumingMemoryBound(to: tpacket3_hdr.self).pointee.tp_next_offset)
                place &+= step
                // Always onwards, so that no count of packets can hold the reader in one block for ever.
                if left > 0, step < PacketRing.Version.v3.headerBytes || !isPlace(place) {
                    statistics.malformed &+= 1
                    left = 0
                }
            }
            (packetsLeft, offset) = (left, place)
            if packetsLeft == 0 { releaseBlock() }
        }
        return count
    }

    /// Whether a packet's header fits there in a block.
    @inlinable
    func isPlace(_ offset: Int) -> Bool {
        offset >= 48 && offset.isMultiple(of: 8) && offset <= geometry.blockSize &- PacketRing.Version.v3.leastBytes
    }

    /// Goes to the next block's first packet. `false` where the kernel still fills it; empty and malformed ones are
    /// given back.
    @usableFromInline
    mutating func openBlock() -> Bool {
        // So that a kernel that hands over nothing but empty blocks can't hold the caller up for ever.
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

    /// The status word of a block: behind its version and the offset of its private area.
    private static func blockStatus(_ block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (block + 8).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    // MARK: TPACKET_V1 and V2

    /// Hands over up to `limit` frames.
    @inlinable
    mutating func readFrames(atMost limit: Int, _ body: (RawSpan, borrowing RingPacket) -> Void) -> Int {
        var count = 0
        var checked = 0
        while count < limit, checked < geometry.framesPerBlock {
            let frame = base + geometry.frameOffset(index)
            guard isReady(frame) else { break }
            if hand(over: frame, geometry.version, room: geometry.frameSize, body) { count &+= 1 }
            releaseFrame(frame)
            checked &+= 1
        }
        return count
    }

    @usableFromInline
    func isReady(_ frame: UnsafeMutableRawPointer) -> Bool {
        switch geometry.version {
        case .v1:
            // An unsigned long.
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

    /// Hands one packet over. `false` where its lengths point out of its room, from `header` on.
    ///
    /// - Parameter version: the ring's; inlined where it is a constant, every choice that hangs on it is made once.
    @inlinable
    @inline(__always)
    mutating func hand(
        over header: UnsafeMutableRawPointer, _ version: PacketRing.Version, room: Int,
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
        guard start >= version.leastBytes, start &+ length <= room else {
            statistics.malformed &+= 1
            return false
        }
        if restoresVLANTag, handWithTag(header, start, length, body) { return true }
        let bytes = UnsafeRawBufferPointer(start: header + start, count: length)
        body(bytes.bytes, RingPacket(header, version, capturedLength: length, restoredBytes: 0))
        return true
    }

    /// Puts the tag back, into the gap that was asked for before the frame, and hands the frame over. `false` where
    /// there is no tag, or too little of a frame.
    @usableFromInline
    func handWithTag(
        _ header: UnsafeMutableRawPointer, _ start: Int, _ length: Int,
        _ body: (RawSpan, borrowing RingPacket) -> Void
    ) -> Bool {
        let packet = RingPacket(header, geometry.version, capturedLength: length + 4, restoredBytes: 4)
        // Both MAC addresses go before the tag, the ethertype stays behind it.
        guard let tag = packet.vlanTag, length >= 14, start >= geometry.version.leastBytes + 4 else { return false }
        let frame = header + (start - 4)
        memmove(frame, header + start, 12)
        frame.storeBytes(of: packet.vlanProtocol.bigEndian, toByteOffset: 12, as: UInt16.self)
        frame.storeBytes(of: tag.bigEndian, toByteOffset: 14, as: UInt16.self)
        body(UnsafeRawBufferPointer(start: frame, count: length + 4).bytes, packet)
        return true
    }
}
