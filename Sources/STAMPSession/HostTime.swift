import STAMPWire

/// The clocks of this host at one moment, as the caller reads them.
public struct HostTime: Sendable, BitwiseCopyable {
    /// CLOCK_MONOTONIC, in nanoseconds: the clock of all deadlines.
    public var monotonic: Int64
    /// CLOCK_REALTIME, in Unix nanoseconds: the clock of all timestamps.
    public var realtime: Int64
    /// The error estimate of CLOCK_REALTIME.
    public var errorEstimate: ErrorEstimate
    /// The number of steps of CLOCK_REALTIME that the caller has detected.
    public var clockSteps: UInt32

    public init(monotonic: Int64, realtime: Int64, errorEstimate: ErrorEstimate, clockSteps: UInt32 = 0) {
        self.monotonic = monotonic
        self.realtime = realtime
        self.errorEstimate = errorEstimate
        self.clockSteps = clockSteps
    }
}

/// The facts of this host that a session reports to its peer.
public struct HostIdentity: Sendable, BitwiseCopyable {
    /// A hash of the kernel's boot ID: hosts with different ones have different kernels.
    public var bootHash: UInt64
    /// The number of the PHC behind the NIC's timestamps; nil without a PHC.
    public var hardwareClock: UInt32?

    public init(bootHash: UInt64, hardwareClock: UInt32? = nil) {
        self.bootHash = bootHash
        self.hardwareClock = hardwareClock
    }
}
