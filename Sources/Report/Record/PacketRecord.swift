import NetworkAddresses

/// One packet in one direction with all its timestamps: a row of the packet log.
///
/// A plain value without references, so that it can be passed through a ring between threads. All times are Int64
/// nanoseconds since the Unix epoch. Application, scheduler and kernel timestamps are by CLOCK_REALTIME of the host
/// that took them. Hardware timestamps are by the NIC's PHC, and also converted to CLOCK_REALTIME with a bound, if
/// possible.
public struct PacketRecord: Sendable, Hashable, BitwiseCopyable {
    /// The session's random ID, printed as 16 hexadecimal digits.
    public var session: UInt64
    /// Probe (forward) or reply (reverse).
    public var packet: PacketKind
    /// The session-sender's sequence number, for probes and replies.
    public var sequence: UInt32
    /// The session-reflector's sequence number; nil if unknown.
    public var replySequence: UInt32?
    /// The direction of the packet, as seen by the logging host.
    public var direction: Direction
    /// The size of the whole frame in bytes; 0 if unknown, which the log shows as an empty field.
    public var bytes: Int32
    /// The outcome of the packet.
    public var status: PacketStatus

    /// The time when the sending application called the kernel.
    public var transmitApp: Int64?
    /// The time when the packet entered the queueing discipline (`SOF_TIMESTAMPING_TX_SCHED`).
    public var transmitSched: Int64?
    /// The driver transmit timestamp (`SOF_TIMESTAMPING_TX_SOFTWARE`).
    public var transmitSoftware: Int64?
    /// The hardware transmit timestamp (`SOF_TIMESTAMPING_TX_HARDWARE`).
    public var transmitHardware: Int64?
    /// The hardware receive timestamp (`SOF_TIMESTAMPING_RX_HARDWARE`).
    public var receiveHardware: Int64?
    /// The kernel receive timestamp (`SOF_TIMESTAMPING_RX_SOFTWARE`).
    public var receiveSoftware: Int64?
    /// The time when the receiving application had the packet.
    public var receiveApp: Int64?

    /// Receive timestamp minus transmit timestamp in nanoseconds. It can be negative.
    public var delay: Int64?
    /// The bound of the delay's error in nanoseconds; nil if the delay is relative.
    public var delayError: Int64?
    /// The kind of timestamps that the delay is computed from.
    public var delayClock: StampKind?
    /// The kind of the best transmit timestamp.
    public var transmitStamp: StampKind?
    /// The reason why a better transmit timestamp is missing.
    public var transmitMissing: MissingReason?
    /// The kind of the best receive timestamp.
    public var receiveStamp: StampKind?
    /// The reason why a better receive timestamp is missing.
    public var receiveMissing: MissingReason?
    /// IPv4 time to live or IPv6 hop limit, as received, or as sent if this host did not receive the packet.
    public var ttl: UInt8?
    /// Differentiated services code point, 0 to 63, received or sent as for `ttl`.
    public var dscp: UInt8?
    /// `transmitHardware` converted to CLOCK_REALTIME of the sending host; nil if it could not be converted.
    public var transmitHardwareRealtime: Int64?
    /// The bound of the error of `transmitHardwareRealtime`, in nanoseconds.
    public var transmitHardwareError: Int64?
    /// `receiveHardware` converted to CLOCK_REALTIME of the receiving host; nil if it could not be converted.
    public var receiveHardwareRealtime: Int64?
    /// The bound of the error of `receiveHardwareRealtime`, in nanoseconds.
    public var receiveHardwareError: Int64?
    /// The packet's clock epoch, counted from 0: each step of either host's clock begins one, and delays of different
    /// clock epochs cannot be compared. nil if a clock was set during the exchange.
    public var clockEpoch: UInt16?
    /// The time when the kernel's packet sampler (psample) sampled the packet, by CLOCK_REALTIME of the logging host.
    public var sample: Int64?
    /// The latency through the sampling device in nanoseconds, if it measures it.
    public var sampleLatency: Int64?
    /// The order of sample and timestamps; nil without a sample.
    public var sampleOrder: SampleOrder?
    /// The errno with which the kernel refused to send the probe (errno(3)); nil for a packet that was sent.
    public var sendError: Int16?
    // An address as an enum of its own would take 16 bytes more, in a record that is copied a few times for each packet.
    private var peerHigh: UInt64 = 0
    private var peerLow: UInt64 = 0
    private var peerKind = PeerKind.none
    /// The peer's UDP port.
    public var peerPort: UInt16?

    /// Creates a row. Measured values are nil by default.
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

    private enum PeerKind: UInt8 {
        case none, v4, v6, station
    }

    /// The other end of the session: its address, without IP its MAC address.
    public var peer: PeerAddress? {
        get {
            switch peerKind {
            case .none: nil
            case .v4: .ip(.v4(UInt32(truncatingIfNeeded: peerLow)))
            case .v6: .ip(.v6(UInt128(peerHigh) << 64 | UInt128(peerLow)))
            case .station: .station(MACAddress(rawValue: peerLow))
            }
        }
        set {
            switch newValue {
            case nil: (peerKind, peerHigh, peerLow) = (.none, 0, 0)
            case .ip(.v4(let address)): (peerKind, peerHigh, peerLow) = (.v4, 0, UInt64(address))
            case .ip(.v6(let address)):
                (peerKind, peerHigh, peerLow) = (
                    .v6, UInt64(truncatingIfNeeded: address >> 64), UInt64(truncatingIfNeeded: address)
                )
            case .station(let address): (peerKind, peerHigh, peerLow) = (.station, 0, address.rawValue)
            }
        }
    }
}
