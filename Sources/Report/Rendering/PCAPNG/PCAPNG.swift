/// Writes packets in the capture format that Wireshark, tshark and tcpdump read: bytes in whole blocks, so that a file
/// that was cut off is readable up to its last whole block.
///
/// One section, in little-endian byte order, with times in nanoseconds. Source: the IETF draft-ietf-opsawg-pcapng.
public struct PCAPNG: Sendable {
    /// Which way a packet went, seen from the interface.
    public enum Direction: UInt32, Sendable {
        case unknown = 0
        case `in` = 1
        case out = 2
    }

    /// What a packet begins with. Source: LINKTYPE_* of tcpdump's registry.
    public enum LinkType: UInt16, Sendable {
        case ethernet = 1
        /// An IPv4 or IPv6 header.
        case rawIP = 101
    }

    /// What is to be written next, in whole blocks. Take it away whenever it suits.
    public var bytes: [UInt8] = []
    private var interfaces: [String: UInt32] = [:]

    /// Begins the section.
    ///
    /// - Parameter application: what made the file.
    public init(application: String) {
        block(0x0A0D_0D0A) { bytes in
            bytes.append32(0x1A2B_3C4D)
            bytes.append16(1)
            bytes.append16(0)
            // The section's length: not known yet.
            bytes.append32(.max)
            bytes.append32(.max)
            bytes.append(option: 4, Array(application.utf8))
            bytes.append(option: 0, [])
        }
    }

    /// The number of an interface for the packets of this section, which is described before its first one.
    public mutating func interface(_ name: String, _ linkType: LinkType) -> UInt32 {
        if let known = interfaces[name] { return known }
        let number = UInt32(truncatingIfNeeded: interfaces.count)
        interfaces[name] = number
        block(1) { bytes in
            bytes.append16(linkType.rawValue)
            bytes.append16(0)
            // No limit is known.
            bytes.append32(0)
            bytes.append(option: 2, Array(name.utf8))
            // if_tsresol: 10^-9 s.
            bytes.append(option: 9, [9])
            bytes.append(option: 0, [])
        }
        return number
    }

    /// Appends a packet.
    ///
    /// - Parameters:
    ///   - packet: from its link-layer header on, as much as there is.
    ///   - wholeLength: of the packet, where `packet` may be the beginning alone.
    ///   - interface: its number.
    ///   - time: since the Unix epoch, in nanoseconds; what is before it is taken as 0.
    ///   - comment: any text.
    public mutating func append(
        _ packet: RawSpan, wholeLength: Int, interface: UInt32, time: Int64, direction: Direction, comment: String
    ) {
        let stamp = UInt64(max(time, 0))
        block(6) { bytes in
            bytes.append32(interface)
            bytes.append32(UInt32(truncatingIfNeeded: stamp >> 32))
            bytes.append32(UInt32(truncatingIfNeeded: stamp))
            bytes.append32(UInt32(clamping: packet.byteCount))
            bytes.append32(UInt32(clamping: max(wholeLength, packet.byteCount)))
            packet.withUnsafeBytes { bytes.append(contentsOf: $0) }
            bytes.pad()
            bytes.append(option: 1, Array(comment.utf8))
            var flags: [UInt8] = []
            flags.append32(direction.rawValue)
            bytes.append(option: 2, flags)
            bytes.append(option: 0, [])
        }
    }

    /// A block has its length in front and behind.
    private mutating func block(_ type: UInt32, _ body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append32(type)
        bytes.append32(0)
        body(&bytes)
        let length = UInt32(truncatingIfNeeded: bytes.count - start + 4)
        bytes.append32(length)
        for byte in 0..<4 { bytes[start + 4 + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte)) }
    }

    /// How many of the first `limit` of these bytes are whole blocks.
    public static func wholeBlocks(_ bytes: [UInt8], within limit: Int) -> Int {
        var end = 0
        while end + 8 <= min(limit, bytes.count) {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[end + 4 + $1]) << (8 * $1) }
            guard length >= 12, end + length <= limit else { break }
            end += length
        }
        return end
    }
}

extension [UInt8] {
    fileprivate mutating func append16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    fileprivate mutating func append32(_ value: UInt32) {
        append16(UInt16(truncatingIfNeeded: value))
        append16(UInt16(truncatingIfNeeded: value >> 16))
    }

    fileprivate mutating func pad() { append(contentsOf: repeatElement(0, count: -count & 3)) }

    /// Code, length, value, padding. What a length of 16 bits can't say is cut off.
    fileprivate mutating func append(option code: UInt16, _ value: [UInt8]) {
        let value = value.prefix(Int(UInt16.max))
        append16(code)
        append16(UInt16(truncatingIfNeeded: value.count))
        append(contentsOf: value)
        pad()
    }
}
