/// Histograms as CSV with a line for each bucket, which can be merged from several files without loss.
///
/// Files of the same layout have the same bucket bounds, and merging adds the counts of equal bounds. Buckets of
/// another layout remain separate rows.
public struct HistogramExport: Sendable {
    /// The key of a histogram: its session, metric and direction.
    public struct Key: Sendable, Hashable {
        /// The session ID.
        public var session: UInt64
        /// "delay", "rtt", "ipdv", or a stage of the host path or the sampler. Delays after a clock step are "delay#1"
        /// and so on.
        public var metric: String
        /// Forward for probes, reverse for replies; nil for the round trip.
        public var packet: PacketKind?

        /// Creates a key from its parts.
        public init(session: UInt64, metric: String, packet: PacketKind?) {
            self.session = session
            self.metric = metric
            self.packet = packet
        }

        /// "forward", "reverse" or empty.
        var direction: String {
            switch packet {
            case .probe: "forward"
            case .reply: "reverse"
            case nil: ""
            }
        }
    }

    /// The header line, without its line end.
    public static let header = "session,metric,direction,from_ns,to_ns,count,cumulative,percentile"

    /// The histograms' keys in the order in which they were first added, which is that of the output.
    public private(set) var keys: [Key] = []
    private var histograms: [Key: [SignedHistogram.Bucket]] = [:]

    /// Creates an empty export.
    public init() {}

    /// Returns the buckets of one histogram in increasing order; empty if there is none.
    public func buckets(_ key: Key) -> [SignedHistogram.Bucket] { histograms[key] ?? [] }

    /// Adds all histograms of a session that have values.
    public mutating func add(session: UInt64, _ statistics: SessionStatistics) {
        let sides = [(PacketKind.probe, statistics.forward), (.reply, statistics.reverse)]
        for (packet, side) in sides {
            for epochDelays in side.epochs {
                // A separate metric keeps delays of different clock epochs apart when files are merged.
                let metric = epochDelays.epoch == 0 ? "delay" : "delay#\(epochDelays.epoch)"
                add(epochDelays.delay.buckets, to: Key(session: session, metric: metric, packet: packet))
            }
        }
        add(statistics.roundTrip.buckets, to: Key(session: session, metric: "rtt", packet: nil))
        for (packet, side) in sides {
            add(side.ipdv.buckets, to: Key(session: session, metric: "ipdv", packet: packet))
        }
        for stage in HostPathStage.allCases {
            for (packet, side) in sides {
                add(side.stages[stage].buckets, to: Key(session: session, metric: stage.metric, packet: packet))
            }
        }
    }

    /// Adds the histograms of a session's samples, which cover both directions.
    public mutating func add(session: UInt64, _ samples: SampleComparison) {
        for (metric, _, histogram) in samples.histograms {
            add(histogram.buckets, to: Key(session: session, metric: metric, packet: nil))
        }
    }

    /// Adds buckets, in any order, to a histogram. Counts of equal bounds are added, up to UInt64.max.
    public mutating func add(_ buckets: [SignedHistogram.Bucket], to key: Key) {
        let filled = buckets.filter { $0.count > 0 }
        guard !filled.isEmpty else { return }
        if histograms[key] == nil { keys.append(key) }
        let sorted = ((histograms[key] ?? []) + filled).sorted { ($0.from, $0.to) < ($1.from, $1.to) }
        var merged: [SignedHistogram.Bucket] = []
        for bucket in sorted {
            if let last = merged.last, last.from == bucket.from, last.to == bucket.to {
                merged[merged.count - 1].count = saturatingSum(last.count, bucket.count)
            } else {
                merged.append(bucket)
            }
        }
        histograms[key] = merged
    }

    /// Adds all histograms of another export.
    public mutating func merge(_ other: HistogramExport) {
        for key in other.keys { add(other.buckets(key), to: key) }
    }
}

/// Returns the sum, or UInt64.max if it overflows.
func saturatingSum(_ first: UInt64, _ second: UInt64) -> UInt64 {
    let (sum, overflow) = first.addingReportingOverflow(second)
    return overflow ? .max : sum
}
