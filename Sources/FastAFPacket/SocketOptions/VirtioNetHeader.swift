/// The header before each packet of a socket with ``SocketOptions/virtioNetHeader``. It says which checksum is still to
/// be filled in, and how a packet longer than the MTU is to be segmented or was coalesced.
///
/// All zero requests nothing and is right for a complete frame. Source: struct virtio_net_hdr in linux/virtio_net.h.
public struct VirtioNetHeader: Hashable, Sendable {
    /// The header's size in bytes.
    public static let byteCount = 10

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Sending: the checksum is to be filled in. Receiving: it is not filled in yet.
        public static let needsChecksum = Flags(rawValue: 1)
        /// Receiving: the checksum was verified.
        public static let dataIsValid = Flags(rawValue: 2)
    }

    /// The kind of segments to cut: VIRTIO_NET_HDR_GSO_*.
    public struct Segmentation: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let none = Segmentation(rawValue: 0)
        public static let tcpIPv4 = Segmentation(rawValue: 1)
        public static let tcpIPv6 = Segmentation(rawValue: 4)
        /// UDP datagrams, each with a header, over IPv4 or IPv6. Linux 6.2.
        public static let udp = Segmentation(rawValue: 5)
    }

    public var flags: Flags = []
    public var segmentation = Segmentation.none
    /// Bytes of all headers: Ethernet, IP, and TCP or UDP. The kernel extends it if the checksum lies beyond it.
    public var headerLength: UInt16 = 0
    /// Payload bytes in each segment.
    public var segmentSize: UInt16 = 0
    /// The offset in the frame of the first byte that the checksum covers: the start of the TCP or UDP header.
    public var checksumStart: UInt16 = 0
    /// The checksum's offset from ``checksumStart``: 16 in TCP, 6 in UDP.
    public var checksumOffset: UInt16 = 0

    public init() {}

    /// Reads the header at the start of a packet; `nil` if there are too few bytes.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        // Host byte order: the legacy VIRTIO format, the only one that packet sockets use.
        func field(_ offset: Int) -> UInt16 { bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self) }
        flags = Flags(rawValue: bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
        segmentation = Segmentation(rawValue: bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self))
        headerLength = field(2)
        segmentSize = field(4)
        checksumStart = field(6)
        checksumOffset = field(8)
    }

    /// Bytes of the frame that the kernel treats as headers. Source: __packet_snd_vnet_parse() in
    /// net/packet/af_packet.c.
    var bytesInFrame: Int {
        guard flags.contains(.needsChecksum) else { return Int(headerLength) }
        // The kernel's sum does not wrap, but its 16-bit result does.
        let end = Int(checksumStart) + Int(checksumOffset) + 2
        return end > Int(headerLength) ? end & 0xFFFF : Int(headerLength)
    }

    /// Writes the header to the start of `bytes`.
    ///
    /// - Returns: the number of bytes written; `nil`, with nothing written, if there are too few bytes.
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
