import NetworkAddresses

/// The one's complement sum of RFC 1071, accumulated piece by piece. All 16-bit words are big-endian.
struct InternetChecksum {
    // 64 bits need no folding before the end: a frame adds some tens of thousands of words.
    private var sum: UInt64 = 0

    /// The sum folded to 16 bits; 0xFFFF over data that includes its valid checksum.
    var folded: UInt16 {
        var rest = sum
        while rest >> 16 != 0 { rest = (rest & 0xFFFF) + (rest >> 16) }
        return UInt16(truncatingIfNeeded: rest)
    }

    /// The value for a header's checksum field, which must count as zero in the sum.
    var complement: UInt16 { ~folded }

    mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

    mutating func add(_ address: IPAddress) {
        switch address {
        case .v4(let value): add(UInt64(value))
        case .v6(let value):
            add(UInt64(truncatingIfNeeded: value >> 64))
            add(UInt64(truncatingIfNeeded: value))
        }
    }

    private mutating func add(_ value: UInt64) {
        sum &+= (value >> 48) &+ (value >> 32 & 0xFFFF) &+ (value >> 16 & 0xFFFF) &+ (value & 0xFFFF)
    }

    /// Adds the bytes of `range`. The first byte is the high half of a word; an odd last byte is padded with zero.
    /// Bytes of `range` outside `bytes` are skipped.
    mutating func add(_ bytes: RawSpan, _ range: Range<Int>) {
        let range = range.clamped(to: 0..<bytes.byteCount)
        bytes.withUnsafeBytes { buffer in
            add(UnsafeRawBufferPointer(rebasing: buffer[range]))
        }
    }

    /// Adds words in memory order and swaps the folded result once: the sum does not depend on byte order (RFC 1071
    /// section 2 (B)). The halves of each 64-bit word have separate accumulators, so no addition waits for the carry of
    /// the previous one.
    private mutating func add(_ buffer: UnsafeRawBufferPointer) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        var offset = 0
        let wide = buffer.count & ~7
        while offset < wide {
            let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            low &+= word & 0xFFFF_FFFF
            high &+= word >> 32
            offset &+= 8
        }
        var native = InternetChecksum()
        native.add(low)
        native.add(high)
        while offset &+ 1 < buffer.count {
            native.add(buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < buffer.count {
            native.add(UInt16(littleEndian: UInt16(buffer[offset])))
        }
        add(UInt16(bigEndian: native.folded))
    }

    /// Adds the pseudo-header that the UDP checksum covers (RFC 768, RFC 8200 section 8.1).
    mutating func addUDPPseudoHeader(source: IPAddress, destination: IPAddress, length: UInt16) {
        add(source)
        add(destination)
        add(UInt16(IPProtocol.udp))
        add(length)
    }
}

/// Protocol and next-header numbers (IANA) that the decoders use.
enum IPProtocol {
    static let hopByHopOptions: UInt8 = 0
    static let udp: UInt8 = 17
    static let routing: UInt8 = 43
    static let fragment: UInt8 = 44
    static let destinationOptions: UInt8 = 60
}

/// EtherTypes (IEEE 802) that the decoders use.
enum EtherType {
    static let ipv4: UInt16 = 0x0800
    static let vlan: UInt16 = 0x8100
    static let ipv6: UInt16 = 0x86DD
    /// IEEE 802's EtherType for local experiments. A subtype and a version must follow it.
    static let localExperimental: UInt16 = 0x88B5
    static let ptp: UInt16 = 0x88F7
}
