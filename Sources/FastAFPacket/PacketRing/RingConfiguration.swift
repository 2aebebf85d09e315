import LinuxKernel

extension PacketRing {
    /// The layout of a ring's memory. Source: Documentation/networking/packet_mmap.rst.
    public enum Version: Int32, Sendable, CaseIterable {
        /// A frame a packet, microsecond timestamps, no VLAN tag.
        case v1 = 0
        /// A frame a packet.
        case v2 = 1
        /// Blocks of packets of any length, handed over when full or after the block timeout.
        case v3 = 2
    }

    /// Which timestamp is wanted; ``CaptureInfo/stampSource`` tells which one came.
    public enum StampPreference: Sendable {
        /// The kernel's.
        case software
        /// The NIC's where it timestamps the packet, else the kernel's. The NIC's timestamping is switched on where it is off
        /// (CAP_NET_ADMIN) and given back on close.
        case hardware
    }

    /// How a ring is opened.
    public struct Configuration: Sendable {
        /// The layout; `nil` takes the highest that the kernel has.
        public var version: Version?
        /// Room for a frame with its header, in bytes: a longer packet is truncated with v1 and v2. A multiple of 16.
        public var frameSize = 4096
        /// Bytes of one block: a multiple of the page size, and at least one frame.
        public var blockSize = 512 << 10
        public var blockCount = 64
        /// After how long a v3 block that is not full is handed over: it delays delivery, not the timestamp. Whole
        /// milliseconds; zero leaves it to the kernel, which goes by the link's speed.
        public var blockTimeout: Duration = .milliseconds(64)
        /// How long a read waits for a packet; `nil` for ever.
        public var pollTimeout: Duration?
        public var socketType = PacketConn.SocketType.raw
        /// The frames to receive, host order; 3 for all (ETH_P_ALL).
        public var etherType: UInt16 = 3
        public var stamps = StampPreference.software
        /// Puts the 802.1Q tag that the kernel took out of a frame back in its place. Refused with v1, which does not
        /// tell the tag, and for datagrams, which have no place for it.
        public var restoresVLANTag = false
        /// Put on before the socket is bound: nothing unfiltered is ever received.
        public var filter: Filter?
        /// Frames that this host sends are received too, if nothing else is said here. A ring has no
        /// ``SocketOptions/virtioNetHeader``.
        public var options = {
            var options = SocketOptions()
            options.ignoreOutgoing = false
            return options
        }()

        public init() {}
    }
}
