/// A clock that was set in mid-run, which begins a new clock epoch of delays.
public struct ClockStep: Sendable, Hashable, BitwiseCopyable {
    /// Whose clock was set.
    public enum Side: UInt8, Sendable, Hashable, BitwiseCopyable {
        /// This host's.
        case local
        /// The other end's.
        case peer

        /// The label in JSON.
        public var text: String { self == .local ? "own" : "peer" }
    }

    /// Whose clock was set.
    public var side: Side
    /// The clock epoch that begins with it, as the log's `clock_epoch` names it.
    public var epoch: UInt16
    /// When it was noticed: Unix nanoseconds of this host's CLOCK_REALTIME, as it was set.
    public var noticed: Int64
    /// The first probe of the new clock epoch; nil where there are several sessions.
    public var sequence: UInt32?
    /// How far forward the clock was set, in nanoseconds, negative for back; nil where no exchange has shown it.
    public var amount: Int64?
    /// How far off `amount` can be at most, in nanoseconds.
    public var error: Int64?

    /// A step with what is known of it.
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

    /// What was done to whose clock, without a full stop: "this host's clock was set forward by 1.000 s".
    public var text: String {
        let whose = side == .local ? "this host's" : "the peer's"
        guard let amount else { return "\(whose) clock was set" }
        let error = self.error ?? 0
        // The round trip hides it, or most of it.
        if error.magnitude >= amount.magnitude {
            let (most, overflow) = amount.magnitude.addingReportingOverflow(error.magnitude)
            let bound = overflow ? Int64.max : Int64(clamping: most)
            return "\(whose) clock was set by \(roundedDurationText(bound)) at most"
        }
        let direction = amount < 0 ? "back" : "forward"
        let size = roundedDurationText(Int64(clamping: amount.magnitude))
        return "\(whose) clock was set \(direction) by \(size)"
            // Within the rounding of the size it needs no words.
            + (error.magnitude > amount.magnitude / 10_000 ? ", give or take \(roundedDurationText(error))" : "")
    }

    /// The same as the beginning of a sentence.
    public var sentence: String { text.prefix(1).uppercased() + text.dropFirst() }

    /// The step as a JSON object.
    ///
    /// - Parameter ofSession: whether `epoch` is a session's.
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

/// The clocks' steps of a run: the first ones each by itself, and the number of all.
public struct ClockSteps: Sendable, Hashable {
    /// As many as have delays of their own (`SessionStatistics.epochLimit`).
    public static let limit = SessionStatistics.epochLimit

    /// The first ones, in their order.
    public private(set) var listed: [ClockStep] = []
    /// All of them.
    public private(set) var count: UInt64 = 0

    /// No steps. The memory for those that can be listed is taken here.
    public init() { listed.reserveCapacity(Self.limit) }

    /// Adds a step.
    public mutating func add(_ step: ClockStep) {
        count &+= 1
        if listed.count < Self.limit { listed.append(step) }
    }

    /// Enters the size of the last one, if it is listed.
    ///
    /// - Returns: the step, as it is now.
    public mutating func settleLast(amount: Int64, error: Int64) -> ClockStep? {
        guard count == listed.count, var last = listed.popLast() else { return nil }
        last.amount = amount
        last.error = error
        listed.append(last)
        return last
    }

    /// The last one, if it is listed.
    public var last: ClockStep? { count == listed.count ? listed.last : nil }

    /// The steps for people, a line for each under a title; none without steps.
    ///
    /// - Parameter ofSession: whether they are a session's, and begin clock epochs of its delays.
    public func lines(ofSession: Bool = true) -> [String] {
        guard count > 0 else { return [] }
        let title = "clock steps: \(count)"
        var lines = [ofSession ? title + "; delays of each clock epoch are kept apart, as #0, #1, …" : title]
        for step in listed {
            let place = step.sequence.map { ", from probe \($0) on" } ?? ""
            let number = ofSession ? "#\(step.epoch)\(place): " : ""
            lines.append("  \(number)\(step.text) (\(timestampText(step.noticed)))")
        }
        if count > listed.count { lines.append("  and \(count - UInt64(listed.count)) more") }
        return lines
    }

    /// The listed steps as a JSON array; nil without steps.
    ///
    /// - Parameter ofSession: whether they are a session's; otherwise they begin no clock epoch.
    public func jsonValue(ofSession: Bool = true) -> JSONValue? {
        count == 0 ? nil : .array(listed.map { $0.jsonValue(ofSession: ofSession) })
    }

    /// Adds another address family's.
    public mutating func add(_ other: ClockSteps) {
        for step in other.listed where listed.count < Self.limit { listed.append(step) }
        count &+= other.count
    }
}
