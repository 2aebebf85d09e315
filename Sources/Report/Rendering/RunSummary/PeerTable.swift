/// A table over the sessions of a run with several peers, a line for each, and the facts of their endpoint.
public struct PeerTable: Sendable {
    /// A session with its peer.
    public struct Session: Sendable {
        /// The session's summary.
        public var summary: RunSummary
        /// The UDP port that it sends from.
        public var sourcePort: UInt16
        /// The reason why the session counts as failed; nil if it succeeded.
        public var failure: String?

        /// Creates a row from its parts.
        public init(summary: RunSummary, sourcePort: UInt16, failure: String? = nil) {
            self.summary = summary
            self.sourcePort = sourcePort
            self.failure = failure
        }
    }

    /// A peer without a session.
    public struct Absent: Sendable {
        /// The peer's address.
        public var peer: String
        /// The name that the user gave the peer; nil if none.
        public var name: String?
        /// The reason why there is no session.
        public var reason: String

        /// Creates an entry from its parts.
        public init(peer: String, name: String? = nil, reason: String) {
            self.peer = peer
            self.name = name
            self.reason = reason
        }
    }

    let sessions: [Session]
    let absent: [Absent]
    let endpoint: EndpointSummary

    /// Creates the table.
    ///
    /// - Parameters:
    ///   - sessions: the sessions in the order of the table.
    ///   - absent: the peers without a session.
    ///   - endpoint: the facts that belong to all sessions.
    public init(_ sessions: [Session], absent: [Absent] = [], endpoint: EndpointSummary) {
        self.sessions = sessions
        self.absent = absent
        self.endpoint = endpoint
    }

    private static let titles = [
        "sent", "lost", "fwd p50", "fwd p99", "rev p50", "rev p99", "rtt p50", "rtt p99",
    ]

    /// Returns the table and the endpoint's summary as text that ends with a line end: losses in percent of the probes
    /// sent, medians and 99th percentiles of the delays. A tilde marks relative delays.
    ///
    /// No label is cut off: one that is longer than its column has a line of its own above the figures.
    ///
    /// - Parameter width: the columns of a line, at least 80.
    public func text(width: Int) -> String {
        let width = max(80, width)
        let labels = labels()
        let rows = sessions.map { Self.cells($0.summary) }
        let widths = Self.titles.indices.map { column in
            ([Self.titles] + rows).map { $0[column].count }.max() ?? 0
        }
        let longest = labels.map(\.count).max() ?? 0
        let labelWidth = max(4, min(longest, width - widths.reduce(0) { $0 + $1 + 1 }))
        func line(_ label: String, _ cells: [String]) -> [String] {
            let isLong = label.count > labelWidth
            let figures = zip(cells, widths).map { " " + $0.leftPadded($1) }.joined()
            let shown = isLong ? "" : label
            // Names can have characters of several bytes.
            let padding = String(repeating: " ", count: labelWidth - shown.count)
            return (isLong ? [label] : []) + [shown + padding + figures]
        }
        var lines = line("peer", Self.titles)
        for (label, cells) in zip(labels, rows) { lines += line(label, cells) }
        if sessions.contains(where: { $0.summary.statistics.isAnyRelative }) {
            lines.append("~ relative: the clocks' offset is unknown, so only the variation is exact")
        }
        if !absent.isEmpty {
            lines += ["", "no path, and no session:"]
            for peer in absent {
                let text = "  \(peerText(peer.peer, name: peer.name, number: nil)): \(Self.shortReason(peer.reason))"
                lines += wrapped(text, width: width)
            }
        }
        return lines.joined(separator: "\n") + "\n\n" + endpoint.text(width: width)
    }

    /// The sessions' labels, each of them unique: the peer's name, or its address; both where a name is repeated.
    func labels() -> [String] {
        let short = sessions.map {
            peerText($0.summary.peerName ?? $0.summary.peer, name: nil, number: $0.summary.peerNumber)
        }
        let counts = Dictionary(short.map { ($0, 1) }, uniquingKeysWith: +)
        return zip(short, sessions).map { counts[$0] == 1 ? $0 : $1.summary.peerText }
    }

    /// The first part of a message: what failed, without the remedy.
    private static func shortReason(_ reason: String) -> Substring {
        let ends = [reason.firstRange(of: ": "), reason.firstRange(of: ". ")].compactMap { $0?.lowerBound }
        return reason[..<(ends.min() ?? reason.endIndex)]
    }

    private static func cells(_ summary: RunSummary) -> [String] {
        let lost = summary.totals.lost
        let sent = summary.probes.sent
        let share = sent == 0 ? "-" : lost == 0 ? "0%" : percentText(lost, of: sent).filter { $0 != " " }
        let statistics = summary.statistics
        return ["\(sent)", share] + figures(statistics.forward) + figures(statistics.reverse)
            + figures(statistics.roundTrip, isRelative: false)
    }

    private static func figures(_ side: DirectionStatistics) -> [String] {
        figures(side.newest.delay, isRelative: side.isRelative)
    }

    private static func figures(_ histogram: SignedHistogram, isRelative: Bool) -> [String] {
        [50, 99].map { percentile in
            histogram.valueAtPercentile(percentile).map { (isRelative ? "~" : "") + shortDurationText($0) } ?? "-"
        }
    }
}

extension SessionStatistics {
    fileprivate var isAnyRelative: Bool { forward.isRelative || reverse.isRelative }
}

extension DirectionStatistics {
    /// True if the newest clock epoch has delays, and none of them has an error bound.
    fileprivate var isRelative: Bool { !newest.delay.isEmpty && newest.boundedCount == 0 }
}
