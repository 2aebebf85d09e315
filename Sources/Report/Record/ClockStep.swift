/// A step of a clock during a run, which begins a new clock epoch.
public struct ClockStep: Sendable, Hashable, BitwiseCopyable {
    /// The host whose clock was set.
    public enum Side: UInt8, Sendable, Hashable, BitwiseCopyable {
        /// This host.
        case local
        /// The peer.
        case peer

        /// The label in JSON.
        public var text: String { self == .local ? "own" : "peer" }
    }

    /// The host whose clock was set.
    public var side: Side
    /// The clock epoch that begins with the step, as in the log's `clock_epoch`.
    public var epoch: UInt16
    /// The time when the step was detected, in Unix nanoseconds of this host's CLOCK_REALTIME after the step.
    public var noticed: Int64
    /// The first probe of the new clock epoch; nil if there are several sessions.
    public var sequence: UInt32?
    /// The size of the step in nanoseconds, positive if forward; nil if unknown.
    public var amount: Int64?
    /// The bound of the error of `amount`, in nanoseconds.
    public var error: Int64?

    /// Creates a step.
    public init(
        side: Side, epoch: UInt16, noticed: Int64, sequence: UInt32?, amount: Int64? = nil, error: Int64? = nil
    ) {
        self.side = side
        self.epoch = epoch
        self.noticed = noticed
        self.sequence = sequence
        self.amount = amount
        self.error = error
    }

    /// The step as a clause: "this host's clock was set forward by 1.000 s".
    public var text: String {
        let whose = side == .local ? "this host's" : "the peer's"
        guard let amount else { return "\(whose) clock was set" }
        let error = self.error ?? 0
        // The error exceeds the size, so the direction is unknown.
        if error.magnitude >= amount.magnitude {
            let (most, overflow) = amount.magnitude.addingReportingOverflow(error.magnitude)
            let bound = overflow ? Int64.max : Int64(clamping: most)
            return "\(whose) clock was set by \(roundedDurationText(bound)) at most"
        }
        let direction = amount < 0 ? "back" : "forward"
        let size = roundedDurationText(Int64(clamping: amount.magnitude))
        return "\(whose) clock was set \(direction) by \(size)"
            // An error within the rounding of the size is not shown.
            + (error.magnitude > amount.magnitude / 10_000 ? " +- \(roundedDurationText(error))" : "")
    }

    /// The clause as the beginning of a sentence.
    public var sentence: String { text.prefix(1).uppercased() + text.dropFirst() }

    /// The step as a JSON object.
    ///
    /// - Parameter ofSession: true if `epoch` is that of a session.
    func jsonValue(ofSession: Bool) -> JSONValue {
        .object([
            ("epoch", ofSession ? .integer(Int64(epoch)) : .null), ("clock", .string(side.text)),
            ("noticed", .string(timestampText(noticed))), ("noticed_ns", .integer(noticed)),
            ("from_probe", sequence.map { .integer(Int64($0)) } ?? .null),
            ("by_ns", amount.map(JSONValue.integer) ?? .null),
            ("error_ns", error.map(JSONValue.integer) ?? .null),
        ])
    }
}

/// The clock steps of a run. The first ones are listed, and all are counted.
public struct ClockSteps: Sendable, Hashable {
    /// The largest number of listed steps: that of clock epochs with separate delays (`SessionStatistics.epochLimit`).
    public static let limit = SessionStatistics.epochLimit

    /// The first steps, in their order.
    public private(set) var listed: [ClockStep] = []
    /// The number of all steps.
    public private(set) var count: UInt64 = 0

    /// Creates an empty list. It allocates the memory for all steps that can be listed.
    public init() { listed.reserveCapacity(Self.limit) }

    /// Adds a step.
    public mutating func add(_ step: ClockStep) {
        count &+= 1
        if listed.count < Self.limit { listed.append(step) }
    }

    /// Sets the size of the last step, if it is listed.
    ///
    /// - Returns: the changed step; nil if it is not listed.
    public mutating func settleLast(amount: Int64, error: Int64) -> ClockStep? {
        guard count == listed.count, var last = listed.popLast() else { return nil }
        last.amount = amount
        last.error = error
        listed.append(last)
        return last
    }

    /// The last step; nil if it is not listed.
    public var last: ClockStep? { count == listed.count ? listed.last : nil }

    /// Returns the steps as text, one line each under a title; no lines without steps.
    ///
    /// - Parameter ofSession: true if they are steps of a session, and begin clock epochs of its delays.
    public func lines(ofSession: Bool = true) -> [String] {
        guard count > 0 else { return [] }
        let title = "clock steps: \(count)"
        var lines = [ofSession ? title + "; delays of each clock epoch are separate: #0, #1, …" : title]
        for step in listed {
            let place = step.sequence.map { ", from probe \($0) on" } ?? ""
            let number = ofSession ? "#\(step.epoch)\(place): " : ""
            lines.append("  \(number)\(step.text) (\(timestampText(step.noticed)))")
        }
        if count > listed.count { lines.append("  and \(count - UInt64(listed.count)) more") }
        return lines
    }

    /// Returns the listed steps as a JSON array; nil without steps.
    ///
    /// - Parameter ofSession: true if they are steps of a session. If not, they begin no clock epoch.
    public func jsonValue(ofSession: Bool = true) -> JSONValue? {
        count == 0 ? nil : .array(listed.map { $0.jsonValue(ofSession: ofSession) })
    }

    /// Adds the steps of another address family.
    public mutating func add(_ other: ClockSteps) {
        for step in other.listed where listed.count < Self.limit { listed.append(step) }
        count &+= other.count
    }
}
