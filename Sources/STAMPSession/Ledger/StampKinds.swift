import STAMPWire

/// A set of transmit timestamp kinds.
public struct StampKinds: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The SCHED timestamp, taken when the packet enters the packet scheduler.
    public static let sched = StampKinds(rawValue: 1)
    /// The driver transmit timestamp.
    public static let software = StampKinds(rawValue: 2)
    /// The NIC's transmit timestamp.
    public static let hardware = StampKinds(rawValue: 4)
}

/// One message with transmit timestamps of a packet that was sent.
public struct StampReport: Sendable, BitwiseCopyable {
    /// The kinds that the message carries.
    public var kinds: StampKinds
    /// The SCHED or driver timestamp, in CLOCK_REALTIME Unix nanoseconds.
    public var software: Int64?
    /// The NIC's timestamp, converted to CLOCK_REALTIME if the PHC's relation to it is known.
    public var hardware: HardwareStamp

    public init(kinds: StampKinds, software: Int64? = nil, hardware: HardwareStamp = .none) {
        self.kinds = kinds
        self.software = software
        self.hardware = hardware
    }
}
