import CLinux
import LinuxKernel

/// The timestamps that one control message carries, in nanoseconds. Source: struct scm_timestamping64 in
/// linux/errqueue.h; Documentation/networking/timestamping.rst.
public struct SocketTimestamps: Hashable, Sendable {
    /// The kernel's timestamp, CLOCK_REALTIME.
    public var software: Int64?
    /// The NIC's timestamp, by the PHC (PHC).
    public var hardware: Int64?

    public init(software: Int64? = nil, hardware: Int64? = nil) {
        self.software = software
        self.hardware = hardware
    }

    /// Reads SO_TIMESTAMPING_NEW data; `nil` for another message or one that is cut short.
    init?(_ message: ControlMessages.Message) {
        guard message.level == SOL_SOCKET, message.type == CL_SO_TIMESTAMPING_NEW,
            let raw = message.load(as: cl_scm_timestamping64.self)
        else { return nil }
        software = Self.nanoseconds(raw.ts.0)
        hardware = Self.nanoseconds(raw.ts.2)
    }

    /// All zero is the kernel's way to say "none".
    private static func nanoseconds(_ stamp: cl_stamp) -> Int64? {
        guard stamp.seconds != 0 || stamp.nanoseconds != 0 else { return nil }
        return stamp.seconds &* 1_000_000_000 &+ stamp.nanoseconds
    }
}

/// One transmit timestamp from the error queue.
public struct TransmitStamp: Hashable, Sendable {
    /// Where on its way out the frame was. Source: SCM_TSTAMP_* in linux/errqueue.h.
    public enum Stage: UInt32, Sendable {
        /// Handed to the driver (software) or sent by the NIC (hardware).
        case sent = 0
        /// Entering the packet scheduler.
        case sched = 1
        /// TCP only.
        case acknowledged = 2
        /// The completion of the send, Linux 6.15.
        case completed = 3
    }

    /// The id of the send, as the caller gave it.
    public var id: UInt32
    public var stage: Stage
    public var stamps: SocketTimestamps
}
