extension Outages {
    /// Returns the outages as text, two lines each under a title; no lines without outages.
    func lines() -> [String] {
        guard count > 0 else { return [] }
        var lines = ["outages: \(count), \(probes) probes"]
        for outage in listed {
            let end = outage.isOpen ? ", to the end" : ""
            var parts: [String] = []
            if outage.lostForward > 0 { parts.append("\(outage.lostForward) lost forward") }
            if outage.lostReverse > 0 { parts.append("\(outage.lostReverse) lost reverse") }
            if outage.lostUnknown > 0 { parts.append("\(outage.lostUnknown) lost, direction unknown") }
            if outage.notSent > 0 { parts.append("\(outage.notSent) not sent") }
            lines.append(
                "  \(timestampText(outage.start).prefix(23))Z, from probe \(outage.firstSequence), for "
                    + roundedDurationText(outage.duration) + end)
            lines.append("    " + parts.joined(separator: ", ") + (outage.cause.map { ": \($0)" } ?? ""))
        }
        if count > listed.count { lines.append("  and \(count - UInt64(listed.count)) more") }
        return lines
    }

    /// The listed outages as a JSON array of objects.
    public var jsonValue: JSONValue {
        .array(
            listed.map { outage in
                .object([
                    ("start", .string(timestampText(outage.start))), ("start_ns", .integer(outage.start)),
                    ("duration_ns", .integer(outage.duration)), ("open", .bool(outage.isOpen)),
                    ("from_probe", .integer(Int64(outage.firstSequence))), ("probes", .unsigned(outage.probes)),
                    ("lost_forward", .unsigned(outage.lostForward)), ("lost_reverse", .unsigned(outage.lostReverse)),
                    ("lost_unknown", .unsigned(outage.lostUnknown)), ("not_sent", .unsigned(outage.notSent)),
                    ("send_errno", outage.sendError.map { .integer(Int64($0)) } ?? .null),
                    ("cause", outage.cause.map(JSONValue.string) ?? .null),
                ])
            })
    }
}
