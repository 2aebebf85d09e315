/// The state of a run in one line that a terminal overwrites each second.
public struct LiveLine: Sendable {
    /// Nanoseconds since the run began.
    public var elapsed: Int64
    /// Probes sent.
    public var sent: UInt64
    /// Replies received.
    public var received: UInt64
    /// Probes lost on the way to the reflector.
    public var lostForward: UInt64
    /// Replies lost on the way back.
    public var lostReverse: UInt64
    /// The delays since the line before.
    public var interval: SessionStatistics.Interval
    /// Whether the one-way delays are relative.
    public var relative: Bool

    /// A line with all its parts.
    public init(
        elapsed: Int64, sent: UInt64, received: UInt64, lostForward: UInt64, lostReverse: UInt64,
        interval: SessionStatistics.Interval, relative: Bool
    ) {
        self.elapsed = elapsed
        self.sent = sent
        self.received = received
        self.lostForward = lostForward
        self.lostReverse = lostReverse
        self.interval = interval
        self.relative = relative
    }

    /// The line without a line end. Delays are the median and the 99th percentile; "~" before one-way delays says
    /// that they are relative. Delays have a fixed width and counts only grow, so that a line covers the one before.
    public func text() -> String {
        let mark = relative ? "~" : " "
        return clock.leftPadded(8) + " sent \(sent) recv \(received) lost \(lostForward)/\(lostReverse)"
            + " fwd\(mark)" + Self.pair(interval.forward) + " rev\(mark)" + Self.pair(interval.reverse)
            + " rtt " + Self.pair(interval.roundTrip)
    }

    private var clock: String {
        let seconds = elapsed.magnitude / 1_000_000_000
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let sign = elapsed < 0 ? "-" : ""
        return sign + two(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60)
    }

    private static func pair(_ histogram: SignedHistogram) -> String {
        [50, 99].map { percentile in
            (histogram.valueAtPercentile(percentile).map(roundedDurationText) ?? "-").leftPadded(10)
        }.joined(separator: "/")
    }
}
