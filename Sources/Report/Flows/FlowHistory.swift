/// The states of a run's flows in the kernel's connection tracking, and their changes.
public struct FlowHistory: Sendable, Hashable {
    /// The number of changes, of changed translations and of flows that are kept, each.
    public static let limit = 256
    /// The number of flows and of changes that the text shows, each.
    static let shown = 8

    /// The first changes, in the order of their arrival.
    public private(set) var changes: [FlowChange] = []
    /// The number of all changes.
    public private(set) var count: UInt64 = 0
    /// The first changes of a translation.
    public private(set) var retranslations: [FlowChange] = []
    /// Each flow's latest state, in the order in which the flows appeared. Beyond the limit, the first flow that has
    /// ended is evicted.
    public private(set) var flows: [FlowChange] = []
    /// Notes on limits and losses, one sentence each.
    public var notes: [String] = []
    /// True if flows were watched. If not, a note gives the reason.
    public var isKnown = true

    /// Creates an empty history.
    public init() {}

    /// Creates the history of flows that were not watched, with the reason.
    public init(unknown reason: String) {
        isKnown = false
        notes = [reason]
    }

    /// Adds a change.
    public mutating func add(_ change: FlowChange) {
        count &+= 1
        if changes.count < Self.limit { changes.append(change) }
        if change.isRetranslated, retranslations.count < Self.limit { retranslations.append(change) }
        if let place = flows.firstIndex(where: { $0.original == change.original && $0.namespace == change.namespace }) {
            flows[place] = change
            return
        }
        if flows.count >= Self.limit, let gone = flows.firstIndex(where: { $0.kind == .gone }) {
            flows.remove(at: gone)
        }
        if flows.count < Self.limit { flows.append(change) }
    }

    /// The history as text: a line for each flow and for each change of a translation.
    public func lines() -> [String] {
        guard !flows.isEmpty else {
            // If flows were not watched, only the reason is of interest.
            return isKnown
                ? ["conntrack: no flow of this run was tracked here." + notes.map { " \($0)" }.joined()]
                : notes.map { "conntrack: \($0)" }
        }
        var lines = ["conntrack: \(flows.count) flow" + (flows.count == 1 ? "" : "s")]
        for flow in flows.prefix(Self.shown) {
            let end = flow.kind == .gone ? ", ended at \(timestampText(flow.noticed))" : ""
            lines.append("  \(flow.isLocalSession ? "own" : "answered") \(flow.flow): \(flow.state)\(end)")
        }
        if flows.count > Self.shown { lines.append("  and \(flows.count - Self.shown) more") }
        for change in retranslations.prefix(Self.shown) {
            lines.append("  \(change.retranslation ?? ""). \(FlowChange.retranslationEffect)")
        }
        if retranslations.count > Self.shown {
            lines.append("  and \(retranslations.count - Self.shown) more changes of translations")
        }
        return lines + notes.map { "  \($0)" }
    }

    /// The history as JSON.
    public var jsonValue: JSONValue {
        .object([
            ("watched", .bool(isKnown)), ("notes", .array(notes.map(JSONValue.string))), ("changes", .unsigned(count)),
            ("events", .array(changes.map(\.jsonValue))), ("retranslations", .array(retranslations.map(\.jsonValue))),
            ("flows", .array(flows.map(\.jsonValue))),
        ])
    }
}
