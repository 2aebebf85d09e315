import NetworkAddresses

/// What a ring tells of one packet, beside its bytes. Source: struct tpacket3_hdr in linux/if_packet.h.
public struct CaptureInfo: Hashable, Sendable {
    /// Where a packet's timestamp is from: tp_status.
    public enum StampSource: Sendable {
        /// Taken by the kernel when the packet arrived; CLOCK_REALTIME.
        case software
        /// Taken by the NIC, by the PHC (PHC).
        case hardware
        /// Taken when the packet was copied into the ring, later than its arrival; CLOCK_REALTIME.
        case copy
    }

    /// Nanoseconds; whole microseconds with TPACKET_V1.
    public var stamp: Int64
    public var stampSource: StampSource
    /// Bytes that the reader got.
    public var capturedLength: Int
    /// Bytes on the wire, as far as the kernel shows them: a tag that was put back counts.
    public var length: Int
    /// The interface that the packet came in or went out by.
    public var interfaceIndex: Int32
    /// The 802.1Q tag (priority, drop-eligible bit, identifier) where the kernel took one out of the frame, put back or
    /// not. Not known with TPACKET_V1.
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

    /// Whether the reader got less than the whole packet.
    public var isTruncated: Bool { capturedLength < length }
}

/// What a ring's reader has done since it was opened or reset.
public struct RingStatistics: Hashable, Sendable {
    /// Packets handed over.
    public var packets: UInt64 = 0
    /// Waits for packets: one wait often brings many.
    public var polls: UInt64 = 0
    /// Blocks that were handed over without a packet in them.
    public var emptyBlocks: UInt64 = 0
    /// Frames or blocks passed over, since their lengths pointed out of them.
    public var malformed: UInt64 = 0

    public init() {}
}
