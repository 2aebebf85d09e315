/// One packet in one direction, with every timestamp of its life: a row of the packet log.
///
/// A plain value without references, so that it can cross a ring between threads. All times are Int64 nanoseconds
/// since the Unix epoch. App, SCHED and software timestamps are CLOCK_REALTIME of the host that took them; hardware timestamps
/// are that NIC's own clock, and beside it, as far as they could be converted, CLOCK_REALTIME with a bound.
public struct PacketRecord: Sendable, Hashable, BitwiseCopyable {
    /// The session's random id; printed as 16 hexadecimal digits.
    public var session: UInt64
    /// Probe (forward) or reply (reverse).
    public var packet: PacketKind
    /// The session-sender's sequence number, on probe and reply rows alike.
    public var sequence: UInt32
    /// The session-reflector's own sequence number, where it is known.
    public var replySequence: UInt32?
    /// Which way the packet passed the host that logs.
    public var direction: Direction
    /// The size of the whole frame in bytes; 0 when it is not known, which the log writes as an empty field.
    public var bytes: Int32
    /// What became of the packet.
    public var status: PacketStatus

    /// When the sending program called the kernel.
    public var transmitApp: Int64?
    /// When the packet entered the queueing discipline (`SOF_TIMESTAMPING_TX_SCHED`).
    public var transmitSched: Int64?
    /// When the driver took the packet (`SOF_TIMESTAMPING_TX_SOFTWARE`).
    public var transmitSoftware: Int64?
    /// When the NIC sent the packet (`SOF_TIMESTAMPING_TX_HARDWARE`).
    public var transmitHardware: Int64?
    /// When the receiving NIC saw the packet (`SOF_TIMESTAMPING_RX_HARDWARE`).
    public var receiveHardware: Int64?
    /// When the packet entered the receiving kernel (`SOF_TIMESTAMPING_RX_SOFTWARE`).
    public var receiveSoftware: Int64?
    /// When the receiving program had the packet.
    public var receiveApp: Int64?

    /// Receive timestamp minus transmit timestamp in nanoseconds, as it is: a negative one is never clamped.
    public var delay: Int64?
    /// The bound of the delay's error in nanoseconds; nil means the delay is relative (no sync bound is known).
    public var delayError: Int64?
    /// The clock of the delay, the same at both ends.
    public var delayClock: StampKind?
    /// The best transmit timestamp that the row has.
    public var transmitStamp: StampKind?
    /// Why a better transmit timestamp is not there.
    public var transmitMissing: MissingReason?
    /// The best receive timestamp that the row has.
    public var receiveStamp: StampKind?
    /// Why a better receive timestamp is not there.
    public var receiveMissing: MissingReason?
    /// IPv4 time to live or IPv6 hop limit: as received, or as sent on rows that were not received here.
    public var ttl: UInt8?
    /// Differentiated services code point, 0 to 63; received or sent as `ttl` is.
    public var dscp: UInt8?
    /// `transmitHardware` as CLOCK_REALTIME of the sending host; nil where the PHC could not be read beside it.
    public var transmitHardwareRealtime: Int64?
    /// How far off `transmitHardwareRealtime` can be at most, in nanoseconds.
    public var transmitHardwareError: Int64?
    /// `receiveHardware` as CLOCK_REALTIME of the receiving host; nil where the PHC could not be read beside it.
    public var receiveHardwareRealtime: Int64?
    /// How far off `receiveHardwareRealtime` can be at most, in nanoseconds.
    public var receiveHardwareError: Int64?
    /// Which clock epoch between two steps of the hosts' clocks the packet belongs to, counted from 0: delays of different
    /// ones can't be compared. nil: a clock was set while the packet, or the answer to it, was on its way.
    public var clockEpoch: UInt16?
    /// When the host's packet sampler (psample) saw the packet: CLOCK_REALTIME of the host that logs.
    public var sample: Int64?
    /// How long the device that sampled it took, in nanoseconds, where it measures that.
    public var sampleLatency: Int64?
    /// Whether sample and timestamps are in order; nil without a sample.
    public var sampleOrder: SampleOrder?
    /// The errno with which the kernel refused to send the probe (errno(3)); nil for a packet that was sent.
    public var sendError: Int32?
    /// The other end of the session: its address, without IP its MAC address.
    public var peer: PeerAddress?
    /// The other end's UDP port.
    public var peerPort: UInt16?

    /// A row with its identity; everything that is measured starts absent.
    public init(
        session: UInt64, packet: PacketKind, sequence: UInt32, replySequence: UInt32? = nil, direction: Direction,
        bytes: Int32 = 0, status: PacketStatus = .ok, transmitApp: Int64? = nil, transmitSched: Int64? = nil,
        transmitSoftware: Int64? = nil, transmitHardware: Int64? = nil, receiveHardware: Int64? = nil,
        receiveSoftware: Int64? = nil, receiveApp: Int64? = nil, delay: Int64? = nil, delayError: Int64? = nil,
        delayClock: StampKind? = nil, transmitStamp: StampKind? = nil, transmitMissing: MissingReason? = nil,
        receiveStamp: StampKind? = nil, receiveMissing: MissingReason? = nil, ttl: UInt8? = nil, dscp: UInt8? = nil,
        transmitHardwareRealtime: Int64? = nil, transmitHardwareError: Int64? = nil,
        receiveHardwareRealtime: Int64? = nil, receiveHardwareError: Int64? = nil, clockEpoch: UInt16? = 0
    ) {
        self.session = session
        self.packet = packet
        self.sequence = sequence
        self.replySequence = replySequence
        self.direction = direction
        self.bytes = bytes
        self.status = status
        self.transmitApp = transmitApp
        self.transmitSched = transmitSched
        self.transmitSoftware = transmitSoftware
        self.transmitHardware = transmitHardware
        self.receiveHardware = receiveHardware
        self.receiveSoftware = receiveSoftware
        self.receiveApp = receiveApp
        self.delay = delay
        self.delayError = delayError
        self.delayClock = delayClock
        self.transmitStamp = transmitStamp
        self.transmitMissing = transmitMissing
        self.receiveStamp = receiveStamp
        self.receiveMissing = receiveMissing
        self.ttl = ttl
        self.dscp = dscp
        self.transmitHardwareRealtime = transmitHardwareRealtime
        self.transmitHardwareError = transmitHardwareError
        self.receiveHardwareRealtime = receiveHardwareRealtime
        self.receiveHardwareError = receiveHardwareError
        self.clockEpoch = clockEpoch
    }
}
