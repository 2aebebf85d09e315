/// The facts of a run with several sessions that belong to its endpoint: what the sockets, the reflector and the NIC
/// counted for all of them.
public struct EndpointSummary: Sendable {
    /// The interface's name.
    public var interface: String
    /// The receive sockets' counters.
    public var socket: RunSummary.SocketCounters
    /// The ledger of the transmit timestamps of this host's replies.
    public var replyLedger: TimestampLedger
    /// Notes on missing timestamps, in sentences.
    public var stampNotes: [String]
    /// The flows' history in connection tracking; nil if it was not requested.
    public var flows: FlowHistory?
    /// Further counters by name, in the order of the output.
    public var counters: [(name: String, value: UInt64)]

    /// Creates a summary from its parts.
    public init(
        interface: String, socket: RunSummary.SocketCounters = RunSummary.SocketCounters(),
        replyLedger: TimestampLedger = TimestampLedger(), stampNotes: [String] = [], flows: FlowHistory? = nil,
        counters: [(name: String, value: UInt64)] = []
    ) {
        self.interface = interface
        self.socket = socket
        self.replyLedger = replyLedger
        self.stampNotes = stampNotes
        self.flows = flows
        self.counters = counters
    }

    /// Returns the summary as text that ends with a line end. Counters of 0 are omitted.
    ///
    /// - Parameter width: the columns of a line.
    public func text(width: Int) -> String {
        var lines = ["all sessions over \(interface)"]
        if replyLedger.sent > 0 { lines += replyLedger.lines(of: "replies") + [""] }
        lines += stampNotes + (flows?.lines() ?? [])
        lines.append("socket: " + countersText(socket.named))
        let counted = counters.filter { $0.value > 0 }
        if !counted.isEmpty { lines.append("counters: " + countersText(counted)) }
        return lines.flatMap { wrapped($0, width: width) }.joined(separator: "\n") + "\n"
    }

    /// The summary as a JSON object.
    public var jsonValue: JSONValue {
        func object(_ counts: [(name: String, value: UInt64)]) -> JSONValue {
            .object(counts.map { (key: $0.name, value: .unsigned($0.value)) })
        }
        return .object(
            [
                ("interface", .string(interface)), ("reply_stamps", replyLedger.jsonValue),
                ("stamp_notes", .array(stampNotes.map(JSONValue.string))),
            ] + (flows.map { [("flows", $0.jsonValue)] } ?? [])
                + [("socket", object(socket.named)), ("counters", object(counters))])
    }
}

/// Returns counters as text: "packets 5, drops 0".
func countersText(_ counters: [(name: String, value: UInt64)]) -> String {
    counters.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
}
