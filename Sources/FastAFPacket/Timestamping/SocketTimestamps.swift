import CLinux
import LinuxKernel

/// The timestamps in one control message, in nanoseconds. Source: struct scm_timestamping64 in linux/errqueue.h;
/// Documentation/networking/timestamping.rst.
public struct SocketTimestamps: Hashable, Sendable {
    /// The kernel's timestamp, CLOCK_REALTIME: the kernel receive timestamp of a received packet, the SCHED or driver
    /// transmit timestamp of a sent one.
    public var software: Int64?
    /// The NIC's timestamp, in nanoseconds of the PHC.
    public var hardware: Int64?

    @inlinable
    public init(software: Int64? = nil, hardware: Int64? = nil) {
        self.software = software
        self.hardware = hardware
    }

    /// Reads SO_TIMESTAMPING_NEW data; `nil` for another message or truncated data.
    @inline(__always)
    init?(_ message: ControlMessages.Message) {
        guard Self.isPresent(in: message), let raw = message.load(as: cl_scm_timestamping64.self) else { return nil }
        self.init(raw)
    }

    /// Returns whether the message has SO_TIMESTAMPING_NEW data that is not truncated.
    @inline(__always)
    static func isPresent(in message: ControlMessages.Message) -> Bool {
        message.level == SOL_SOCKET && message.type == CL_SO_TIMESTAMPING_NEW
            && message.data.count >= MemoryLayout<cl_scm_timestamping64>.size
    }

    @inline(__always)
    init(_ raw: cl_scm_timestamping64) {
        self.init(software: Self.nanoseconds(raw.ts.0), hardware: Self.nanoseconds(raw.ts.2))
    }

    /// The kernel represents an absent timestamp as all zero.
    @inline(__always)
    private static func nanoseconds(_ stamp: cl_stamp) -> Int64? {
        guard stamp.seconds != 0 || stamp.nanoseconds != 0 else { return nil }
        return stamp.seconds &* 1_000_000_000 &+ stamp.nanoseconds
    }
}

/// One transmit timestamp from the error queue.
public struct TransmitStamp: Hashable, Sendable {
    /// The point on the transmit path. Source: SCM_TSTAMP_* in linux/errqueue.h.
    public enum Stage: UInt32, Sendable {
        /// The frame was handed to the driver (software) or sent by the NIC (hardware).
        case sent = 0
        /// The frame entered the packet scheduler.
        case sched = 1
        /// The peer acknowledged the data; TCP only.
        case acknowledged = 2
        /// The send completed, Linux 6.15.
        case completed = 3
    }

    /// The id that the caller gave to the send.
    public var id: UInt32
    public var stage: Stage
    public var stamps: SocketTimestamps

    @inlinable
    init(id: UInt32, stage: Stage, stamps: SocketTimestamps) {
        self.id = id
        self.stage = stage
        self.stamps = stamps
    }
}
