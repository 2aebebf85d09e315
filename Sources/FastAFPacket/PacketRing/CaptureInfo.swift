import NetworkAddresses

/// A ring's metadata of one packet. Source: struct tpacket3_hdr in linux/if_packet.h.
public struct CaptureInfo: Hashable, Sendable {
    /// The origin of a packet's timestamp: tp_status.
    public enum StampSource: Sendable {
        /// The kernel receive timestamp, CLOCK_REALTIME.
        case software
        /// The NIC's timestamp, in nanoseconds of the PHC.
        case hardware
        /// The time at which the packet was copied into the ring, later than its arrival; CLOCK_REALTIME.
        case copy
    }

    /// The timestamp in nanoseconds, by the clock that ``stampSource`` names; whole microseconds with TPACKET_V1.
    public var stamp: Int64
    public var stampSource: StampSource
    /// Bytes that the reader received.
    public var capturedLength: Int
    /// Bytes on the wire, as far as the kernel reports them, including a restored tag.
    public var length: Int
    /// The index of the interface that the packet was received or sent on.
    public var interfaceIndex: Int32
    /// The 802.1Q tag (priority, drop-eligible bit, identifier) if the kernel removed one from the frame, restored or
    /// not. Not available with TPACKET_V1.
    public var vlanTag: UInt16?

    public init(
        stamp: Int64, stampSource: StampSource, capturedLength: Int, length: Int, interfaceIndex: Int32,
        vlanTag: UInt16? = nil
    ) {
        self.stamp = stamp
        self.stampSource = stampSource
        self.capturedLength = capturedLength
        self.length = length
        self.interfaceIndex = interfaceIndex
        self.vlanTag = vlanTag
    }

    /// True if the reader received less than the whole packet.
    public var isTruncated: Bool { capturedLength < length }
}

/// Counts of a ring's reader since the ring was opened or its statistics reset.
public struct RingStatistics: Hashable, Sendable {
    /// Packets handed to the reader.
    public var packets: UInt64 = 0
    /// Waits for packets; one wait often returns many packets.
    public var polls: UInt64 = 0
    /// Blocks received without a packet in them.
    public var emptyBlocks: UInt64 = 0
    /// Frames or blocks skipped because their lengths pointed out of them.
    public var malformed: UInt64 = 0

    public init() {}
}
