import Report

/// The summary of `probe reflect`: the counts of its packets, and the ledger of its replies' timestamps.
struct ReflectSummary {
    let interface: String
    let instance: UInt64
    let result: ReflectorResult
    /// The ledgers, one for each address family.
    let accounts: [TimestampLedger]
    let receipts: ReceiveStamping
    let flows: FlowHistory?

    /// The sum of both families' ledgers.
    private var ledger: TimestampLedger {
        accounts.dropFirst().reduce(into: accounts.first ?? TimestampLedger()) { $0.add($1) }
    }

    private var counters: [(name: String, value: UInt64)] {
        result.named + [("send_errors", result.sendErrors), ("socket_drops", result.totals.socketDrops)]
    }

    private var notes: [String] { StampNotes.notes(on: interface, ledger, receipts, result.receiveStamping) }

    /// The summary for people.
    ///
    /// - Parameter width: the columns that a line may take.
    func text(width: Int) -> String {
        var lines = ["reflector \(sessionText(instance)) on \(interface)"]
        lines.append(
            "  "
                + counters.filter { $0.value > 0 || $0.name == "probes" || $0.name == "replies" }
                .map { "\($0.name) \($0.value)" }.joined(separator: ", "))
        lines += result.clockSteps.lines(ofSession: false).map { "  \($0)" }
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
            + (result.clockSteps.jsonValue(ofSession: false).map { [(key: "clock_steps", value: $0)] } ?? [])
            + [("stamps", ledger.jsonValue), ("stamp_notes", .array(notes.map(JSONValue.string)))]
            + (flows.map { [(key: "flows", value: $0.jsonValue)] } ?? [])
        return JSONValue.object(members).compact + "\n"
    }
}

extension ReflectorResult {
    /// Adds another address family's result.
    mutating func add(_ other: ReflectorResult) {
        totals.add(other.totals)
        rejected.add(other.rejected)
        loopsRejected &+= other.loopsRejected
        notAllowed &+= other.notAllowed
        sessionsRejected &+= other.sessionsRejected
        sessionsOpened &+= other.sessionsOpened
        duplicates &+= other.duplicates
        sendErrors &+= other.sendErrors
        missed.add(other.missed)
        receiveStamping.add(other.receiveStamping)
        clockSteps.add(other.clockSteps)
        eventsDropped &+= other.eventsDropped
        threadCPU &+= other.threadCPU
        duration = max(duration, other.duration)
        failure = failure ?? other.failure
    }
}
