/// The outcome of one probe, for the list of outages.
public enum ProbeOutcome: Sendable, Hashable, BitwiseCopyable {
    /// A reply came.
    case answered
    /// The probe never reached the reflector.
    case lostForward
    /// The reply never came back.
    case lostReverse
    /// No reply came, and the direction of the loss is unknown.
    case lostUnknown
    /// The kernel refused to send the probe, with an errno.
    case notSent(Int32)
}

/// A time in which no probe was answered.
public struct Outage: Sendable, Hashable {
    /// CLOCK_REALTIME in Unix nanoseconds at which the first of its probes was sent or refused.
    public var start: Int64
    /// The first probe's sequence number.
    public var firstSequence: UInt32
    /// Nanoseconds from the first of its probes to the next one that was answered; to its last probe where none was.
    public var duration: Int64 = 0
    /// True if no later probe was answered.
    public var isOpen = true
    /// Probes that never reached the reflector.
    public var lostForward: UInt64 = 0
    /// Replies that never came back.
    public var lostReverse: UInt64 = 0
    /// Losses of unknown direction.
    public var lostUnknown: UInt64 = 0
    /// Probes that the kernel refused to send.
    public var notSent: UInt64 = 0
    /// The errno of the first refusal; nil without one.
    public var sendError: Int32?
    /// What is known of the cause, in words; nil where nothing is.
    public var cause: String?

    /// An outage that begins with its first probe.
    init(start: Int64, firstSequence: UInt32) {
        self.start = start
        self.firstSequence = firstSequence
    }

    /// The probes that were due in it.
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

/// The outages of a session: every time of a quarter of a second or more in which at least three probes in a row were
/// not answered. The first ones are listed, all are counted.
public struct Outages: Sendable {
    /// A shorter gap is loss, not an outage. Nanoseconds.
    public static let shortest: Int64 = 250_000_000
    /// Fewer probes in a row are loss, not an outage.
    public static let fewestProbes: UInt64 = 3
    /// Outages that are listed.
    public static let limit = 64

    /// The first outages, in their order.
    public private(set) var listed: [Outage] = []
    /// The number of all.
    public private(set) var count: UInt64 = 0
    /// Probes that fell into one.
    public private(set) var probes: UInt64 = 0

    /// The one that lasts to the end of the session; nil where its last probes were answered.
    public private(set) var open: Outage?

    private var current: Outage?
    private var began: Int64 = 0
    private var newest: Int64 = 0

    /// No outages. The memory for the list is allocated here.
    public init() { listed.reserveCapacity(Self.limit) }

    /// Adds the next probe in order of sequence numbers.
    ///
    /// - Parameters:
    ///   - sentAt: when it was sent or refused: CLOCK_MONOTONIC nanoseconds.
    ///   - realtime: the same as CLOCK_REALTIME, Unix nanoseconds.
    public mutating func add(_ outcome: ProbeOutcome, sequence: UInt32, sentAt: Int64, realtime: Int64) {
        newest = sentAt
        guard outcome != .answered else { return close(at: sentAt, isOpen: false) }
        if current == nil {
            current = Outage(start: realtime, firstSequence: sequence)
            began = sentAt
        }
        current?.count(outcome)
    }

    /// Ends the list: the session is over.
    public mutating func finish() { close(at: newest, isOpen: true) }

    /// Sets what is known of the causes.
    public mutating func explain(_ cause: (Outage) -> String?) {
        for index in listed.indices { listed[index].cause = cause(listed[index]) }
        if let last = open { open?.cause = cause(last) }
    }

    private mutating func close(at end: Int64, isOpen: Bool) {
        guard var outage = current.take() else { return }
        outage.duration = difference(from: began, to: end) ?? 0
        outage.isOpen = isOpen
        guard outage.duration >= Self.shortest, outage.probes >= Self.fewestProbes else { return }
        count &+= 1
        probes &+= outage.probes
        if isOpen { open = outage }
        if listed.count < Self.limit { listed.append(outage) }
    }
}
