extension PeerTable {
    /// Returns the table as one JSON object on one line, without a line end: an object for each peer, and the facts of
    /// the endpoint.
    public func json() -> String {
        JSONValue.object([
            ("type", .string("peers")), ("peers", .array(sessions.map(Self.row) + absent.map(Self.row))),
            ("endpoint", endpoint.jsonValue),
        ]).compact
    }

    private static func row(_ session: Session) -> JSONValue {
        let summary = session.summary
        let statistics = summary.statistics
        let percentiles = [
            ("forward", statistics.forward.newest.delay), ("reverse", statistics.reverse.newest.delay),
            ("rtt", statistics.roundTrip),
        ].flatMap { name, histogram in
            [50, 99].map { percentile in
                (
                    key: "\(name)_p\(percentile)_ns",
                    value: histogram.valueAtPercentile(Double(percentile)).map(JSONValue.integer) ?? .null
                )
            }
        }
        return .object(
            [
                ("peer", .string(summary.peer)), ("name", summary.peerName.map(JSONValue.string) ?? .null),
                ("session", .string(summary.session)), ("source_port", .integer(Int64(session.sourcePort))),
                ("sent", .unsigned(summary.probes.sent)), ("lost_forward", .unsigned(summary.totals.lostForward)),
                ("lost_reverse", .unsigned(summary.totals.lostReverse)),
                ("lost_unknown", .unsigned(summary.totals.lostUnknown)), ("relative", .bool(summary.relative)),
            ] + percentiles + [("error", session.failure.map(JSONValue.string) ?? .null)])
    }

    private static func row(_ absent: Absent) -> JSONValue {
        .object([
            ("peer", .string(absent.peer)), ("name", absent.name.map(JSONValue.string) ?? .null), ("session", .null),
            ("error", .string(absent.reason)),
        ])
    }
}
