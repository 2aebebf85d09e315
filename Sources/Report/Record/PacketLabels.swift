/// The packet of an exchange.
public enum PacketKind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// From the session-sender to the session-reflector: the forward direction.
    case probe
    /// From the session-reflector to the session-sender: the reverse direction.
    case reply

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .probe: "probe"
        case .reply: "reply"
        }
    }
}

/// The direction of a packet, as seen by the host that wrote the row.
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
protocol LogLabel: CaseIterable, RawRepresentable<UInt8>, Sendable {
    /// The word in the log; empty for an empty field.
    var text: String { get }
    /// The words of all labels, by raw value, for a row.
    static var words: [TextWords] { get }
}

extension LogLabel {
    /// The words of a type whose raw values count from 0.
    fileprivate static func allWords() -> [TextWords] { allCases.map { TextWords($0.text) } }
}

extension PacketKind: LogLabel { static let words = allWords() }
extension Direction: LogLabel { static let words = allWords() }
extension PacketStatus: LogLabel { static let words = allWords() }
extension StampKind: LogLabel { static let words = allWords() }
extension MissingReason: LogLabel { static let words = allWords() }
extension SampleOrder: LogLabel { static let words = allWords() }

/// The outcome of a packet. If several apply, the first in this order is used.
public enum PacketStatus: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Arrived with a wrong checksum.
    case corrupt
    /// Arrived again.
    case duplicate
    /// Arrived after the timeout.
    case late
    /// Did not arrive, and a counter of the peer proves the direction of the loss.
    case lost
    /// Was not answered, and the direction of the loss is unknown.
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

    /// True if the row's delays are in the statistics: those of packets that arrived once and in time.
    public var isInDelayStatistics: Bool { self == .ok || self == .reordered }
}

/// The source of a timestamp: the NIC, the kernel or the application.
public enum StampKind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The NIC, by its PHC (`SOF_TIMESTAMPING_RAW_HARDWARE`).
    case hardware
    /// The kernel, by CLOCK_REALTIME (`SOF_TIMESTAMPING_SOFTWARE`): on transmit the driver, on receipt the network
    /// stack.
    case software
    /// The application, by CLOCK_REALTIME, next to its system call.
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

/// The reason why a better timestamp is missing.
public enum MissingReason: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The NIC or driver does not support this timestamp.
    case unsupported
    /// The timestamp arrived after its row was written.
    case late
    /// The error queue or receive buffer was full, and the kernel dropped the message with the timestamp.
    case bufferFull
    /// The driver or NIC skipped this packet or lost its timestamp, although it timestamps others.
    case skippedByDriver
    /// The packet, or the message with the timestamp, did not arrive.
    case notReceived
    /// The peer sends no follow-up, so the packet's actual transmit timestamp is unknown.
    case noFollowUp
    /// The timestamp was not requested.
    case notAsked
    /// The run ended before the timestamp arrived.
    case closed
    /// The NIC was busy with another packet's timestamp, as its driver has counted: it can take one at a time.
    case inFlight
    /// The NIC advertises such timestamps, but none has arrived.
    case never
    /// The NIC timestamps only PTP frames, and this was another frame.
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
