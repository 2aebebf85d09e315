import LinuxKernel

extension PacketRing {
    /// The layout of a ring's memory. Source: Documentation/networking/packet_mmap.rst.
    public enum Version: Int32, Sendable, CaseIterable {
        /// One frame for each packet, timestamps in microseconds, no VLAN tag.
        case v1 = 0
        /// One frame for each packet.
        case v2 = 1
        /// Blocks of packets of any length, each delivered when full or after the block timeout.
        case v3 = 2
    }

    /// The preferred timestamp; ``CaptureInfo/stampSource`` says which one a packet has.
    public enum StampPreference: Sendable {
        /// The kernel receive timestamp.
        case software
        /// The NIC's timestamp if the NIC timestamps the packet, else the kernel's. Switches the NIC's timestamping on
        /// if it is off (CAP_NET_ADMIN); close restores it.
        case hardware
    }

    /// The configuration of a ring.
    public struct Configuration: Sendable {
        /// The layout; `nil` selects the highest that the kernel has.
        public var version: Version?
        /// Room for a frame with its header, in bytes; v1 and v2 truncate longer packets. A multiple of 16.
        public var frameSize = 4096
        /// Bytes in one block: a multiple of the page size, and at least one frame.
        public var blockSize = 512 << 10
        public var blockCount = 64
        /// The time after which a v3 block that is not full is delivered. It delays delivery, not the timestamp. Whole
        /// milliseconds; zero selects the kernel's default, which depends on the link speed.
        public var blockTimeout: Duration = .milliseconds(64)
        /// The time that a read waits for a packet; `nil` waits indefinitely.
        public var pollTimeout: Duration?
        public var socketType = PacketConn.SocketType.raw
        /// The ethertype of the frames to receive, in host byte order; 3 for all (ETH_P_ALL).
        public var etherType: UInt16 = 3
        public var stamps = StampPreference.software
        /// Restores the 802.1Q tag that the kernel removed from a frame. Rejected with v1, which does not report the
        /// tag, and for datagram sockets, which have no link-layer header to hold it.
        public var restoresVLANTag = false
        /// The filter, attached before the socket is bound: nothing unfiltered is ever received.
        public var filter: Filter?
        /// Options of the socket. By default a ring also receives frames that this host sends. A ring does not support
        /// ``SocketOptions/virtioNetHeader``.
        public var options = {
            var options = SocketOptions()
            options.ignoreOutgoing = false
            return options
        }()

        public init() {}
    }
}
