/// What became of one packet that this host sent: every timestamp of its way out.
public struct TransmitStamps: Hashable, Sendable {
    /// The packet's own sequence: of a probe the sender's, of a reply the reflector's.
    public var sequence: UInt32
    /// In a reply: the sequence of the probe that it answered. In a probe: the same as ``sequence``.
    public var answered: UInt32
    /// Unix nanoseconds of CLOCK_REALTIME, taken before the send call.
    public var app: Int64?
    /// Unix nanoseconds of CLOCK_REALTIME, on entry to the queueing discipline.
    public var sched: Int64?
    /// Unix nanoseconds of CLOCK_REALTIME, by the driver.
    public var software: Int64?
    public var nic: HardwareStamp

    public init(
        sequence: UInt32, answered: UInt32, app: Int64? = nil, sched: Int64? = nil, software: Int64? = nil,
        nic: HardwareStamp = .none
    ) {
        self.sequence = sequence
        self.answered = answered
        self.app = app
        self.sched = sched
        self.software = software
        self.nic = nic
    }
}

/// What became of one packet that this host received: every timestamp of its way in.
public struct ReceiveStamps: Hashable, Sendable {
    /// The received packet's own sequence.
    public var sequence: UInt32
    public var nic: HardwareStamp
    /// Unix nanoseconds of CLOCK_REALTIME, by the kernel.
    public var software: Int64?
    /// Unix nanoseconds of CLOCK_REALTIME, after the receive call.
    public var app: Int64?

    public init(sequence: UInt32, nic: HardwareStamp = .none, software: Int64? = nil, app: Int64? = nil) {
        self.sequence = sequence
        self.nic = nic
        self.software = software
        self.app = app
    }
}

/// Value of the experimental TLV (type 240) that two instances of this program exchange, so that both hosts' rows have
/// the timestamps of both ends. Its fixed layout of 240 bytes is in docs/stamp-tlv.md.
public struct PairedStamps: Hashable, Sendable {
    public static let valueLength = 240

    /// Whether this probe opens or closes a session: it only makes contact or collects what earlier ones left, and counts
    /// in no statistics. False in replies.
    public var isClosing: Bool
    /// Random, for the session.
    public var instance: UInt64
    /// Hash of the kernel's boot identifier: equal on both ends, they may share a clock.
    public var bootHash: UInt64
    /// Index of the PTP hardware clock behind the NICs' timestamps; nil: the NIC has none.
    public var hardwareClock: UInt32?
    /// How often this end's CLOCK_REALTIME was set since its program began, modulo 256.
    public var clockSteps: UInt8
    /// Sets are written in order and without a gap: a second set without a first is read back as the first.
    public var transmit0: TransmitStamps?
    public var transmit1: TransmitStamps?
    public var receive0: ReceiveStamps?
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
