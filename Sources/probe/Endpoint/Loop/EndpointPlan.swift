import LinuxKernel
import Report
import STAMPSession

/// The sockets and sessions of an endpoint.
struct EndpointPlan: Sendable {
    var sockets: [EndpointSocket]
    var sessions: [SessionPlace.Setting] = []
    /// The port of the reflectors that answer these sessions.
    var peerPort: UInt16
    /// The reflector for the peers' probes; nil if they are not answered.
    var reflector: SessionReflector.Configuration?
    /// The time to wait for transmit timestamps, in nanoseconds.
    var timeoutNanoseconds: Int64
    /// True if the thread never sleeps.
    var spins = false
}

/// The result of an endpoint.
struct EndpointResult: Sendable {
    /// The results of the sessions, in their order.
    var senders: [SenderResult] = []
    var reflector = ReflectorResult()
    /// Packets that never reached a session, or the reflector.
    var rejectedReplies = RejectedPackets()
    var rejectedProbes = RejectedPackets()
    var replyStamping = ReceiveStampCounts()
    var probeStamping = ReceiveStampCounts()
    /// Transmit timestamps of no session.
    var unknownStamps: UInt64 = 0
    /// Events that were dropped because the recorder was too slow.
    var eventsDropped: UInt64 = 0
    /// The thread's CPU time, and the time that it ran, in nanoseconds.
    var threadCPU: Int64 = 0
    var duration: Int64 = 0
    /// The error that ended it early.
    var failure: SystemError?
}
