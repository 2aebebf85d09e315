/// The receive socket's counters since the run began, as a line every few seconds.
public struct StatisticsLine: Sendable, Hashable {
    /// The socket's counters since the run began.
    public var counters: RunSummary.SocketCounters

    /// Creates a line with the totals. The kernel's counters restart with each reading (packet(7)).
    public init(_ counters: RunSummary.SocketCounters) {
        self.counters = counters
    }

    /// Returns the line as text, with its line end.
    public func text() -> String {
        "STATS packets=\(counters.packets) drops=\(counters.drops) queue_freezes=\(counters.freezes)\n"
    }

    /// Returns the line as a JSON object, with its line end.
    public func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        writer.value("stats")
        for (key, value) in [
            ("packets", counters.packets), ("drops", counters.drops), ("queue_freezes", counters.freezes),
        ] {
            writer.key(key)
            writer.value(value)
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
