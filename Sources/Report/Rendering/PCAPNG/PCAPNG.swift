/// Writes packets in the capture format of Wireshark, tshark and tcpdump, in whole blocks, so that a truncated file can
/// be read up to its last whole block.
///
/// The file has one section, in little-endian byte order, with times in nanoseconds. Source: the IETF's
/// draft-ietf-opsawg-pcapng.
public struct PCAPNG: Sendable {
    /// The direction of a packet, as seen by the interface.
    public enum Direction: UInt32, Sendable {
        case unknown = 0
        case `in` = 1
        case out = 2
    }

    /// The type of a packet's first header. Source: LINKTYPE_* of tcpdump's registry.
    public enum LinkType: UInt16, Sendable {
        case ethernet = 1
        /// An IPv4 or IPv6 header.
        case rawIP = 101
    }

    /// The bytes to be written next, in whole blocks. The caller removes them.
    public var bytes: [UInt8] = []
    private var interfaces: [String: UInt32] = [:]

    /// Creates a capture, and begins its section.
    ///
    /// - Parameter application: the name of the application that writes the file.
    public init(application: String) {
        block(0x0A0D_0D0A) { bytes in
            bytes.append32(0x1A2B_3C4D)
            bytes.append16(1)
            bytes.append16(0)
            // The section's length is not known yet.
            bytes.append32(.max)
            bytes.append32(.max)
            bytes.append(option: 4, Array(application.utf8))
            bytes.append(option: 0, [])
        }
    }

    /// Returns the number of an interface in this section. The first call describes the interface.
    public mutating func interface(_ name: String, _ linkType: LinkType) -> UInt32 {
        if let known = interfaces[name] { return known }
        let number = UInt32(truncatingIfNeeded: interfaces.count)
        interfaces[name] = number
        block(1) { bytes in
            bytes.append16(linkType.rawValue)
            bytes.append16(0)
            // The snapshot length has no limit.
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
    ///   - packet: the packet from its first header, or the captured beginning of it.
    ///   - wholeLength: the length of the whole packet.
    ///   - interface: the number of the interface.
    ///   - time: the time since the Unix epoch in nanoseconds; negative times are written as 0.
    ///   - comment: the packet's comment.
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

    /// Appends a block, which has its length at its begin and end.
    private mutating func block(_ type: UInt32, _ body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append32(type)
        bytes.append32(0)
        body(&bytes)
        let length = UInt32(truncatingIfNeeded: bytes.count - start + 4)
        bytes.append32(length)
        for byte in 0..<4 { bytes[start + 4 + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte)) }
    }

    /// Returns the length of the whole blocks within the first `limit` bytes.
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

    /// Appends an option: code, length, value and padding. A value beyond 65,535 bytes is truncated.
    fileprivate mutating func append(option code: UInt16, _ value: [UInt8]) {
        let value = value.prefix(Int(UInt16.max))
        append16(code)
        append16(UInt16(truncatingIfNeeded: value.count))
        append(contentsOf: value)
        pad()
    }
}
