/// The outcome of one probe, for the list of outages.
public enum ProbeOutcome: Sendable, Hashable, BitwiseCopyable {
    /// A reply was received.
    case answered
    /// The probe never reached the reflector.
    case lostForward
    /// The reply never reached the sender.
    case lostReverse
    /// No reply was received, and the direction of the loss is unknown.
    case lostUnknown
    /// The kernel refused to send the probe, with an errno.
    case notSent(Int32)
}

/// A period in which no probe was answered.
public struct Outage: Sendable, Hashable {
    /// The time when its first probe was sent or refused, in Unix nanoseconds of CLOCK_REALTIME.
    public var start: Int64
    /// The first probe's sequence number.
    public var firstSequence: UInt32
    /// The time from its first probe to the next answered probe, in nanoseconds; to its last probe if it is open.
    public var duration: Int64 = 0
    /// True if no later probe was answered.
    public var isOpen = true
    /// Probes that never reached the reflector.
    public var lostForward: UInt64 = 0
    /// Replies that never reached the sender.
    public var lostReverse: UInt64 = 0
    /// Losses of unknown direction.
    public var lostUnknown: UInt64 = 0
    /// Probes that the kernel refused to send.
    public var notSent: UInt64 = 0
    /// The errno of the first refusal; nil if there was none.
    public var sendError: Int32?
    /// The cause as text; nil if it is unknown.
    public var cause: String?

    /// Creates an outage that begins with a probe.
    init(start: Int64, firstSequence: UInt32) {
        self.start = start
        self.firstSequence = firstSequence
    }

    /// The number of its probes.
    public var probes: UInt64 { lostForward &+ lostReverse &+ lostUnknown &+ notSent }

    mutating func count(_ outcome: ProbeOutcome) {
        switch outcome {
        case .answered: break
        case .lostForward: lostForward &+= 1
        case .lostReverse: lostReverse &+= 1
        case .lostUnknown: lostUnknown &+= 1
        case .notSent(let code):
            notSent &+= 1
            sendError = sendError ?? code
        }
    }
}

/// The outages of a session: each period of at least 250 ms in which at least three consecutive probes were not
/// answered. The first ones are listed, and all are counted.
public struct Outages: Sendable {
    /// The shortest duration of an outage, in nanoseconds.
    public static let minimumDurationNanoseconds: Int64 = 250_000_000
    /// The smallest number of consecutive probes of an outage.
    public static let minimumProbes: UInt64 = 3
    /// The largest number of listed outages.
    public static let limit = 64

    /// The first outages, in their order.
    public private(set) var listed: [Outage] = []
    /// The number of all outages.
    public private(set) var count: UInt64 = 0
    /// The number of probes in all outages.
    public private(set) var probes: UInt64 = 0

    /// The outage that lasts to the end of the session; nil if there is none.
    public private(set) var open: Outage?

    private var current: Outage?
    private var began: Int64 = 0
    private var newest: Int64 = 0

    /// Creates an empty list. It allocates the memory for all outages that can be listed.
    public init() { listed.reserveCapacity(Self.limit) }

    /// Adds the next probe, in the order of sequence numbers.
    ///
    /// - Parameters:
    ///   - sentAt: the time when it was sent or refused, in CLOCK_MONOTONIC nanoseconds.
    ///   - realtime: the same time in Unix nanoseconds of CLOCK_REALTIME.
    public mutating func add(_ outcome: ProbeOutcome, sequence: UInt32, sentAt: Int64, realtime: Int64) {
        newest = sentAt
        guard outcome != .answered else { return close(at: sentAt, isOpen: false) }
        if current == nil {
            current = Outage(start: realtime, firstSequence: sequence)
            began = sentAt
        }
        current?.count(outcome)
    }

    /// Ends the list at the end of the session.
    ///
    /// - Parameter isOpen: True if an outage of the last probes lasts to the end; false if replies to other probes came
    ///   after them.
    public mutating func finish(isOpen: Bool = true) { close(at: newest, isOpen: isOpen) }

    /// Sets the causes of the outages.
    public mutating func explain(_ cause: (Outage) -> String?) {
        for index in listed.indices { listed[index].cause = cause(listed[index]) }
        if let last = open { open?.cause = cause(last) }
    }

    private mutating func close(at end: Int64, isOpen: Bool) {
        guard var outage = current.take() else { return }
        outage.duration = difference(from: began, to: end) ?? 0
        outage.isOpen = isOpen
        guard outage.duration >= Self.minimumDurationNanoseconds, outage.probes >= Self.minimumProbes else { return }
        count &+= 1
        probes &+= outage.probes
        if isOpen { open = outage }
        if listed.count < Self.limit { listed.append(outage) }
    }
}
