/// The figures of one histogram for tables and JSON, in whole nanoseconds.
struct HistogramSummary {
    /// The figures' names and values in the order of the columns.
    let figures: [(column: String, key: String, value: Int64)]
    let count: UInt64

    /// Creates the figures of a histogram; returns nil if it has no values.
    init?(_ histogram: SignedHistogram) {
        guard let min = histogram.min, let max = histogram.max, let mean = histogram.roundedMean,
            let deviation = histogram.roundedStandardDeviation
        else { return nil }
        func percentile(_ value: Double) -> Int64 { histogram.valueAtPercentile(value) ?? max }
        count = histogram.count
        figures = [
            ("min", "min_ns", min), ("p50", "p50_ns", percentile(50)), ("p90", "p90_ns", percentile(90)),
            ("p99", "p99_ns", percentile(99)), ("p99.9", "p99_9_ns", percentile(99.9)), ("max", "max_ns", max),
            ("mean", "mean_ns", mean), ("stddev", "stddev_ns", deviation),
        ]
    }

    static let columns = ["min", "p50", "p90", "p99", "p99.9", "max", "mean", "stddev"]

    /// Writes the figures as a JSON object.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("count")
        writer.value(count)
        for figure in figures {
            writer.key(figure.key)
            writer.value(figure.value)
        }
        writer.endObject()
    }
}
