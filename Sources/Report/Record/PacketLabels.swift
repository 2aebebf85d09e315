/// Which packet of the exchange a row is about.
public enum PacketKind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// From the session-sender to the session-reflector: the forward direction.
    case probe
    /// From the session-reflector back: the reverse direction.
    case reply

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .probe: "probe"
        case .reply: "reply"
        }
    }
}

/// Which way a packet passed the host that wrote the row.
public enum Direction: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The logging host sent the packet.
    case out
    /// The logging host received the packet, or should have.
    case `in`

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .out: "out"
        case .in: "in"
        }
    }
}

/// A label of the packet log: one of a fixed set of words.
protocol LogLabel: CaseIterable, Sendable {
    /// The word in the log; an empty one is an empty field.
    var text: String { get }
}

extension PacketKind: LogLabel {}
extension Direction: LogLabel {}
extension PacketStatus: LogLabel {}
extension StampKind: LogLabel {}
extension MissingReason: LogLabel {}
extension SampleOrder: LogLabel {}

/// The outcome of a packet; where several apply, the first in this order.
public enum PacketStatus: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Arrived with a checksum that does not match.
    case corrupt
    /// Arrived again after a first copy.
    case duplicate
    /// Arrived after the timeout.
    case late
    /// Never arrived, and a counter of the peer proves in which direction it went missing.
    case lost
    /// No reply, and no way yet to tell which direction lost it.
    case unknown
    /// Arrived after a packet that was sent later (RFC 4737).
    case reordered
    /// Arrived once, in time and in order.
    case ok
    /// The kernel refused to send the probe: it was never on the path. The row has the errno.
    case notSent
    /// A reply that never existed: its probe is proven lost, or was not sent. The log has an empty field.
    case absent

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .corrupt: "corrupt"
        case .duplicate: "duplicate"
        case .late: "late"
        case .lost: "lost"
        case .unknown: "unknown"
        case .reordered: "reordered"
        case .ok: "ok"
        case .notSent: "not-sent"
        case .absent: ""
        }
    }

    /// Whether the row's delays enter the statistics: only packets that arrived once and in time.
    public var entersDelayStatistics: Bool { self == .ok || self == .reordered }
}

/// Who took a timestamp: the NIC, the kernel or the program.
public enum StampKind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// the PHC (PHC), by `SOF_TIMESTAMPING_RAW_HARDWARE`.
    case hardware
    /// The kernel, CLOCK_REALTIME, by `SOF_TIMESTAMPING_SOFTWARE`.
    case software
    /// The program, CLOCK_REALTIME, beside the system call.
    case app

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .hardware: "hardware"
        case .software: "software"
        case .app: "app"
        }
    }
}

/// Why a better timestamp that was asked for is not there.
public enum MissingReason: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The NIC or driver does not take this timestamp.
    case unsupported
    /// The timestamp came after the row had to be written.
    case late
    /// The error queue's or receive buffer was full, and the kernel dropped the message that carries the timestamp.
    case bufferFull
    /// The driver or the NIC left this packet out, or lost its timestamp, although it takes them of others.
    case skippedByDriver
    /// The packet, or the message that carries the timestamp, never came.
    case notReceived
    /// The peer sends no follow-up, so its true transmit timestamp is not known.
    case noFollowUp
    /// The timestamp was not asked for.
    case notAsked
    /// The run ended first.
    case closed
    /// The NIC was busy with another packet's timestamp: it holds one at a time, and its driver has counted this.
    case inFlight
    /// The NIC offers such timestamps, and none has come at all.
    case never
    /// The NIC's filter takes timestamps of PTP frames only, and this was none.
    case onlyPTP

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .unsupported: "unsupported"
        case .late: "late"
        case .bufferFull: "buffer"
        case .skippedByDriver: "driver"
        case .notReceived: "not-received"
        case .noFollowUp: "no-follow-up"
        case .notAsked: "not-asked"
        case .closed: "closed"
        case .inFlight: "in-flight"
        case .never: "never"
        case .onlyPTP: "ptp-only"
        }
    }
}
