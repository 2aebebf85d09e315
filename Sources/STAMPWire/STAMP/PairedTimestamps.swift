/// The transmit timestamps of one packet, from the host that sent it.
public struct TransmitTimes: Hashable, Sendable, BitwiseCopyable {
    /// Application timestamp before the send call, in CLOCK_REALTIME Unix nanoseconds.
    @CompactNanoseconds public var app: Int64?
    /// Timestamp on entry to the queueing discipline, in CLOCK_REALTIME Unix nanoseconds.
    @CompactNanoseconds public var sched: Int64?
    /// Driver transmit timestamp, in CLOCK_REALTIME Unix nanoseconds.
    @CompactNanoseconds public var software: Int64?
    /// The NIC's transmit timestamp.
    public var nic: HardwareStamp

    public init(app: Int64? = nil, sched: Int64? = nil, software: Int64? = nil, nic: HardwareStamp = .none) {
        self.app = app
        self.sched = sched
        self.software = software
        self.nic = nic
    }
}

/// The receive timestamps of one packet, from the host that received it.
public struct ReceiveTimes: Hashable, Sendable, BitwiseCopyable {
    /// The NIC's receive timestamp.
    public var nic: HardwareStamp
    /// Kernel receive timestamp, in CLOCK_REALTIME Unix nanoseconds.
    @CompactNanoseconds public var software: Int64?
    /// Application timestamp after the receive call, in CLOCK_REALTIME Unix nanoseconds.
    @CompactNanoseconds public var app: Int64?

    public init(nic: HardwareStamp = .none, software: Int64? = nil, app: Int64? = nil) {
        self.nic = nic
        self.software = software
        self.app = app
    }
}

/// A transmit set: the transmit timestamps of one packet, and the numbers that identify it.
public struct TransmitStamps: Hashable, Sendable, BitwiseCopyable {
    /// The packet's sequence number: the sender's in a probe, the reflector's in a reply.
    public var sequence: UInt32
    /// In a reply: the sequence number of the probe that it answers. In a probe: ``sequence``.
    public var answered: UInt32
    public var times: TransmitTimes

    public init(sequence: UInt32, answered: UInt32, times: TransmitTimes) {
        self.sequence = sequence
        self.answered = answered
        self.times = times
    }

    public init(
        sequence: UInt32, answered: UInt32, app: Int64? = nil, sched: Int64? = nil, software: Int64? = nil,
        nic: HardwareStamp = .none
    ) {
        self.init(
            sequence: sequence, answered: answered,
            times: TransmitTimes(app: app, sched: sched, software: software, nic: nic))
    }
}

/// A receive set: the receive timestamps of one packet, and the number that identifies it.
public struct ReceiveStamps: Hashable, Sendable, BitwiseCopyable {
    /// The packet's sequence number: the sender's in a probe, the reflector's in a reply.
    public var sequence: UInt32
    public var times: ReceiveTimes

    public init(sequence: UInt32, times: ReceiveTimes) {
        self.sequence = sequence
        self.times = times
    }

    public init(sequence: UInt32, nic: HardwareStamp = .none, software: Int64? = nil, app: Int64? = nil) {
        self.init(sequence: sequence, times: ReceiveTimes(nic: nic, software: software, app: app))
    }
}

/// The value of the paired-timestamps TLV (type 240, experimental). Two instances of `probe` exchange it so that the
/// rows of both hosts hold the timestamps of both ends. docs/stamp-tlv.md specifies its fixed layout of 240 bytes.
public struct PairedTimestamps: Hashable, Sendable {
    public static let valueLength = 240

    /// True in a probe that opens or closes a session: it makes contact or collects the timestamps of earlier packets,
    /// and no statistics count it. False in replies.
    public var isClosing: Bool
    /// A random number, chosen for the session.
    public var instance: UInt64
    /// A hash of the kernel's boot identifier. If it is equal on both ends, they may share a clock.
    public var bootHash: UInt64
    /// Index of the PHC behind the NIC's timestamps; nil: the NIC has no PHC.
    public var hardwareClock: UInt32?
    /// The number of times this end's CLOCK_REALTIME was set since its application started, modulo 256.
    public var clockSteps: UInt8
    /// First transmit set. Sets are written in order without gaps: a second set without a first is decoded as the
    /// first.
    public var transmit0: TransmitStamps?
    /// Second transmit set.
    public var transmit1: TransmitStamps?
    /// First receive set.
    public var receive0: ReceiveStamps?
    /// Second receive set.
    public var receive1: ReceiveStamps?

    public init(
        isClosing: Bool = false, instance: UInt64, bootHash: UInt64, hardwareClock: UInt32? = nil,
        clockSteps: UInt8 = 0, transmit0: TransmitStamps? = nil, transmit1: TransmitStamps? = nil,
        receive0: ReceiveStamps? = nil,
        receive1: ReceiveStamps? = nil
    ) {
        self.isClosing = isClosing
        self.instance = instance
        self.bootHash = bootHash
        self.hardwareClock = hardwareClock
        self.clockSteps = clockSteps
        self.transmit0 = transmit0
        self.transmit1 = transmit1
        self.receive0 = receive0
        self.receive1 = receive1
    }
}
