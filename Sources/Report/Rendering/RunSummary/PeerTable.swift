/// A table over the sessions of a run with several peers: a line for each.
public struct PeerTable: Sendable {
    private let summaries: [RunSummary]
    private let unreachable: [(peer: String, reason: String)]

    /// Creates the table.
    ///
    /// - Parameters:
    ///   - summaries: the sessions' summaries, in the order of the table.
    ///   - unreachable: the peers without a session, and the reason.
    public init(_ summaries: [RunSummary], unreachable: [(peer: String, reason: String)] = []) {
        self.summaries = summaries
        self.unreachable = unreachable
    }

    /// The widths of a peer's column, and of a figure's.
    private static let largestPeerWidth = 32
    private static let figureWidth = 9

    /// Returns the table as text, which ends with a line end: losses in percent of the probes sent, and medians and
    /// 99th percentiles of the delays. Relative delays are marked with a tilde.
    ///
    /// - Parameter width: the columns of a line. A longer peer's name is cut off.
    public func text(width: Int) -> String {
        let longest = (summaries.map(\.peer) + unreachable.map(\.peer)).map(\.count).max() ?? 0
        let figures = 6
        let peerWidth = min(
            max(longest, 4), max(16, min(Self.largestPeerWidth, width - figures * (Self.figureWidth + 1))))
        func line(_ peer: String, _ cells: [String]) -> String {
            String(peer.prefix(peerWidth)).rightPadded(peerWidth)
                + cells.map { " " + $0.leftPadded(Self.figureWidth) }.joined()
        }
        var lines = [line("peer", ["sent", "lost", "fwd p50", "fwd p99", "rev p50", "rtt p99"])]
        for summary in summaries {
            let totals = summary.totals
            let lost = totals.lostForward &+ totals.lostReverse &+ totals.lostUnknown
            let sent = summary.probes.sent
            lines.append(
                line(
                    summary.peer,
                    [
                        "\(sent)", sent == 0 ? "-" : lost == 0 ? "0 %" : percentText(lost, of: sent),
                        Self.figure(summary.statistics.forward, 50), Self.figure(summary.statistics.forward, 99),
                        Self.figure(summary.statistics.reverse, 50),
                        Self.figure(summary.statistics.roundTrip, 99),
                    ]))
        }
        for (peer, reason) in unreachable { lines += wrapped("\(peer): \(reason)", width: width) }
        if summaries.contains(where: { $0.statistics.forward.isRelative || $0.statistics.reverse.isRelative }) {
            lines.append("~ relative: the clocks' offset is unknown, and only variation counts")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func figure(_ side: DirectionStatistics, _ percentile: Double) -> String {
        let text = figure(side.newest.delay, percentile)
        return side.isRelative && text != "-" ? "~" + text : text
    }

    private static func figure(_ histogram: SignedHistogram, _ percentile: Double) -> String {
        guard let value = histogram.valueAtPercentile(percentile) else { return "-" }
        return roundedDurationText(value)
    }

    /// Returns the table as one JSON object on one line, without a line end.
    public func json() -> String {
        let peers = summaries.map { summary in
            JSONValue.object([
                ("peer", .string(summary.peer)), ("session", .string(summary.session)),
                ("sent", .unsigned(summary.probes.sent)), ("lost_forward", .unsigned(summary.totals.lostForward)),
                ("lost_reverse", .unsigned(summary.totals.lostReverse)),
                ("lost_unknown", .unsigned(summary.totals.lostUnknown)),
                ("relative", .bool(summary.relative)),
                ("forward_p50_ns", Self.value(summary.statistics.forward.newest.delay, 50)),
                ("forward_p99_ns", Self.value(summary.statistics.forward.newest.delay, 99)),
                ("reverse_p50_ns", Self.value(summary.statistics.reverse.newest.delay, 50)),
                ("reverse_p99_ns", Self.value(summary.statistics.reverse.newest.delay, 99)),
                ("rtt_p50_ns", Self.value(summary.statistics.roundTrip, 50)),
                ("rtt_p99_ns", Self.value(summary.statistics.roundTrip, 99)),
            ])
        }
        let absent = unreachable.map { peer, reason in
            JSONValue.object([("peer", .string(peer)), ("error", .string(reason))])
        }
        return JSONValue.object([("type", .string("peers")), ("peers", .array(peers + absent))]).compact
    }

    private static func value(_ histogram: SignedHistogram, _ percentile: Double) -> JSONValue {
        histogram.valueAtPercentile(percentile).map(JSONValue.integer) ?? .null
    }
}

extension DirectionStatistics {
    /// True if the newest clock epoch has delays, and none of them has an error bound.
    fileprivate var isRelative: Bool { !newest.delay.isEmpty && newest.boundedCount == 0 }
}
