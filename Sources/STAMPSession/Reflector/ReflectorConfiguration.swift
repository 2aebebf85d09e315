import NetworkAddresses
import Report

extension SessionReflector {
    /// The settings of a session-reflector.
    public struct Configuration: Sendable {
        /// The random ID of this reflector, which paired senders learn.
        public var instance: UInt64
        public var host: HostIdentity
        /// The reflector's own port. Packets from it are never answered: two reflectors would answer each other forever.
        public var port: UInt16
        /// The networks to answer; empty for all.
        public var allowed: [IPNetwork] = []
        /// True if the rows of the answered sessions are written.
        public var writesRows = false
        /// The time to wait for a timestamp or for the sender's telemetry, in nanoseconds.
        public var timeoutNanoseconds: Int64 = 2_000_000_000
        /// True to report steps of this host's clock, if no session-sender reports them.
        public var reportsClock = false
        /// True if packets have an IP header, and so a TTL and a DSCP.
        public var hasIP = true
        /// The transmit timestamps that every reply requests.
        public var expectedStamps: StampKinds = []
        /// True if delays are computed from the NICs' timestamps only.
        public var usesHardwareOnly = false

        public init(instance: UInt64, host: HostIdentity, port: UInt16) {
            self.instance = instance
            self.host = host
            self.port = port
        }
    }

    /// A reply that was written.
    public struct Answer: Sendable {
        /// The place of its session, and the reply's ID there: they identify it until its timestamps are known.
        public var place: Int
        public var id: UInt32
        /// The length of the reply's STAMP packet, in bytes.
        public var length: Int
        /// The DSCP to send it with.
        public var dscp: UInt8
    }
}

/// The result of a session-reflector.
public struct ReflectorResult: Sendable {
    /// `received` counts probes, `sent` counts replies.
    public internal(set) var totals = SessionTotals()
    /// Packets too short to be a probe.
    public internal(set) var short: UInt64 = 0
    /// Packets from a port or address that cannot be answered.
    public internal(set) var stray: UInt64 = 0
    /// Packets from the reflectors' port: answering them could loop forever.
    public internal(set) var loopsRejected: UInt64 = 0
    /// Packets from addresses that are not allowed.
    public internal(set) var notAllowed: UInt64 = 0
    /// Packets of new sessions that were rejected because the table was full.
    public internal(set) var sessionsRejected: UInt64 = 0
    public internal(set) var sessionsOpened: UInt64 = 0
    public internal(set) var duplicates: UInt64 = 0
    /// Refusals of the kernel to send a reply.
    public internal(set) var refusals: UInt64 = 0
    public internal(set) var ledger = TimestampLedger()
    /// Transmit timestamps that no reply waited for.
    public internal(set) var unknownStamps: UInt64 = 0
    public internal(set) var clockSteps = ClockSteps()

    public init() {}
}
