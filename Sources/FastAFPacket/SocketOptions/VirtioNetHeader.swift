/// What stands before each packet of a socket with ``SocketOptions/virtioNetHeader``: which checksum is still to be filled
/// in, and how a packet longer than the MTU is to be cut, or was put together.
///
/// All zero asks for nothing, and is right for a finished frame. Source: struct virtio_net_hdr in linux/virtio_net.h.
public struct VirtioNetHeader: Hashable, Sendable {
    /// Bytes before each packet.
    public static let byteCount = 10

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The checksum is to be filled in, or, received, not filled in yet.
        public static let needsChecksum = Flags(rawValue: 1)
        /// Received: the checksum was found right.
        public static let dataIsValid = Flags(rawValue: 2)
    }

    /// What kind of segments to cut: VIRTIO_NET_HDR_GSO_*.
    public struct Segmentation: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let none = Segmentation(rawValue: 0)
        public static let tcpIPv4 = Segmentation(rawValue: 1)
        public static let tcpIPv6 = Segmentation(rawValue: 4)
        /// UDP datagrams with a header each, over IPv4 or IPv6. Linux 6.2.
        public static let udp = Segmentation(rawValue: 5)
    }

    public var flags: Flags = []
    public var segmentation = Segmentation.none
    /// Bytes of all headers: Ethernet, IP, and TCP or UDP. The kernel takes more where the checksum lies behind.
    public var headerLength: UInt16 = 0
    /// Bytes of payload in each segment.
    public var segmentSize: UInt16 = 0
    /// Where the bytes that the checksum covers begin: the offset of the TCP or UDP header in the frame.
    public var checksumStart: UInt16 = 0
    /// Where the checksum stands, from ``checksumStart``: 16 in TCP, 6 in UDP.
    public var checksumOffset: UInt16 = 0

    public init() {}

    /// Reads the header at the start of a packet; `nil` where there are fewer bytes.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        // The machine's own byte order: VIRTIO's old form, and the only one that packet sockets speak.
        func field(_ offset: Int) -> UInt16 { bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self) }
        flags = Flags(rawValue: bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
        segmentation = Segmentation(rawValue: bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self))
        headerLength = field(2)
        segmentSize = field(4)
        checksumStart = field(6)
        checksumOffset = field(8)
    }

    /// How much of the frame the kernel takes for headers. Source: __packet_snd_vnet_parse() in net/packet/af_packet.c.
    var bytesInFrame: Int {
        guard flags.contains(.needsChecksum) else { return Int(headerLength) }
        // Its sum of 16-bit numbers does not wrap, its result does.
        let end = Int(checksumStart) + Int(checksumOffset) + 2
        return end > Int(headerLength) ? end & 0xFFFF : Int(headerLength)
    }

    /// Writes the header to the start of `bytes`.
    ///
    /// - Returns: the bytes written; `nil`, and nothing written, where there is no room.
    @discardableResult
    public func write(to bytes: inout MutableRawSpan) -> Int? {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: flags.rawValue, toByteOffset: 0, as: UInt8.self)
            buffer.storeBytes(of: segmentation.rawValue, toByteOffset: 1, as: UInt8.self)
            buffer.storeBytes(of: headerLength, toByteOffset: 2, as: UInt16.self)
            buffer.storeBytes(of: segmentSize, toByteOffset: 4, as: UInt16.self)
            buffer.storeBytes(of: checksumStart, toByteOffset: 6, as: UInt16.self)
            buffer.storeBytes(of: checksumOffset, toByteOffset: 8, as: UInt16.self)
        }
        return Self.byteCount
    }
}
