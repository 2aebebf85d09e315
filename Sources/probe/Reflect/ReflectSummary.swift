import Report
import STAMPSession

/// The summary of `probe reflect`: the counts of its packets, and the ledger of its replies' timestamps.
struct ReflectSummary {
    let interface: String
    let instance: UInt64
    let result: EndpointResult
    let socket: RunSummary.SocketCounters
    let receipts: ReceiveStamping
    let flows: FlowHistory?

    private var ledger: TimestampLedger { result.reflector.ledger }

    private var counters: [(name: String, value: UInt64)] {
        result.reflectorCounters + [("send_errors", result.reflector.refusals), ("socket_drops", socket.drops)]
    }

    private var notes: [String] { StampNotes.notes(on: interface, ledger, receipts, result.probeStamping) }

    /// The summary for people.
    ///
    /// - Parameter width: the columns that a line may take.
    func text(width: Int) -> String {
        var lines = ["reflector \(sessionText(instance)) on \(interface)"]
        lines.append(
            "  "
                + counters.filter { $0.value > 0 || $0.name == "probes" || $0.name == "replies" }
                .map { "\($0.name) \($0.value)" }.joined(separator: ", "))
        lines += result.reflector.clockSteps.lines(ofSession: false).map { "  \($0)" }
        lines += ledger.lines(of: "replies") + notes + (flows?.lines() ?? [])
        return lines.flatMap { wrapped($0, width: width) }.joined(separator: "\n") + "\n"
    }

    func json() -> String {
        let members: [(key: String, value: JSONValue)] =
            [
                ("type", .string("summary")), ("interface", .string(interface)),
                ("duration_ns", .integer(result.duration)),
            ]
            + counters.map { (key: $0.name, value: .unsigned($0.value)) }
            + (result.reflector.clockSteps.jsonValue(ofSession: false).map { [(key: "clock_steps", value: $0)] } ?? [])
            + [("stamps", ledger.jsonValue), ("stamp_notes", .array(notes.map(JSONValue.string)))]
            + (flows.map { [(key: "flows", value: $0.jsonValue)] } ?? [])
        return JSONValue.object(members).compact + "\n"
    }
}
