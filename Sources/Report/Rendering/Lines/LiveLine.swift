/// The state of a run in one line, which is overwritten every second on a terminal.
public struct LiveLine: Sendable {
    /// The time since the run began, in nanoseconds.
    public var elapsed: Int64
    /// Probes sent.
    public var sent: UInt64
    /// Replies received.
    public var received: UInt64
    /// Probes lost on the way to the reflector.
    public var lostForward: UInt64
    /// Replies lost on the way back.
    public var lostReverse: UInt64
    /// Losses of unknown direction.
    public var lostUnknown: UInt64
    /// Probes that the kernel refused to send.
    public var notSent: UInt64
    /// The delays since the previous line.
    public var interval: SessionStatistics.Interval
    /// True if the one-way delays are relative.
    public var relative: Bool
    /// The peers that are measured. The line shows the delays of a single one only.
    public var peers = 1
    /// The peers that have not replied for longer than the timeout.
    public var silentPeers = 0

    /// Creates a line from its parts.
    public init(
        elapsed: Int64, sent: UInt64, received: UInt64, lostForward: UInt64, lostReverse: UInt64, lostUnknown: UInt64,
        notSent: UInt64 = 0, interval: SessionStatistics.Interval, relative: Bool
    ) {
        self.elapsed = elapsed
        self.sent = sent
        self.received = received
        self.lostForward = lostForward
        self.lostReverse = lostReverse
        self.lostUnknown = lostUnknown
        self.notSent = notSent
        self.interval = interval
        self.relative = relative
    }

    /// Returns the line without a line end, shorter than `width` columns so that it fits one line of the terminal.
    ///
    /// Delays are medians, from 120 columns also 99th percentiles. "~" marks relative one-way delays. Losses are
    /// forward, reverse, and of unknown direction ("?").
    public func text(width: Int = 80) -> String {
        let mark = relative ? "~" : " "
        let percentiles: [Double] = width >= 120 ? [50, 99] : [50]
        let unknown = lostUnknown > 0 ? "/\(lostUnknown)?" : ""
        let refused = notSent > 0 ? " unsent \(notSent)" : ""
        let counts = "sent \(sent)\(refused) recv \(received) lost \(lostForward)/\(lostReverse)\(unknown)"
        guard peers == 1 else {
            let silent = silentPeers > 0 ? ", \(silentPeers) silent" : ""
            return String("\(clock.leftPadded(8)) \(counts), \(peers) peers\(silent)".prefix(max(1, width - 1)))
        }
        let line =
            clock.leftPadded(8) + " " + counts
            + " fwd\(mark)" + Self.text(interval.forward, percentiles)
            + " rev\(mark)" + Self.text(interval.reverse, percentiles)
            + " rtt " + Self.text(interval.roundTrip, percentiles)
        return String(line.prefix(max(1, width - 1)))
    }

    private var clock: String {
        let seconds = elapsed.magnitude / 1_000_000_000
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let sign = elapsed < 0 ? "-" : ""
        return sign + two(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60)
    }

    private static func text(_ histogram: SignedHistogram, _ percentiles: [Double]) -> String {
        percentiles.map { histogram.valueAtPercentile($0).map(roundedDurationText) ?? "-" }.joined(separator: "/")
    }
}
