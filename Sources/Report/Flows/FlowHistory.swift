/// What the kernel's connection tracking knew of a run's flows, and when that changed.
public struct FlowHistory: Sendable, Hashable {
    /// Changes, translations that changed, and flows: so many of each are kept.
    public static let limit = 256
    /// Flows and changes that the text shows.
    static let shown = 8

    /// The first ones, in their order.
    public private(set) var changes: [FlowChange] = []
    /// All of them.
    public private(set) var count: UInt64 = 0
    /// The first ones of those that changed a translation.
    public private(set) var retranslations: [FlowChange] = []
    /// Each flow's last state, in the order in which the flows came. Where there are too many, the first that is gone
    /// makes room.
    public private(set) var flows: [FlowChange] = []
    /// What is to be said beside them.
    public var notes: [String] = []
    /// Whether anybody looked. If not, a note says why.
    public var isKnown = true

    /// Nothing known so far.
    public init() {}

    /// Nothing known, for a reason.
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

    /// The history for people: a line for each flow and for each change of a translation.
    public func lines() -> [String] {
        guard !flows.isEmpty else {
            // A note of why nothing is known says more than that nothing is.
            return isKnown
                ? ["conntrack: no flow of this run was tracked here." + notes.map { " \($0)" }.joined()]
                : notes.map { "conntrack: \($0)" }
        }
        var lines = ["conntrack: \(flows.count) flow" + (flows.count == 1 ? "" : "s")]
        for flow in flows.prefix(Self.shown) {
            let end = flow.kind == .gone ? ", gone since \(timestampText(flow.noticed))" : ""
            lines.append("  \(flow.isLocalSession ? "own" : "answered") \(flow.flow): \(flow.state)\(end)")
        }
        if flows.count > Self.shown { lines.append("  and \(flows.count - Self.shown) more") }
        for change in retranslations.prefix(Self.shown) {
            lines.append("  \(change.retranslation ?? ""); a step in the delay then has this reason.")
        }
        if retranslations.count > Self.shown { lines.append("  and \(retranslations.count - Self.shown) times more") }
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
