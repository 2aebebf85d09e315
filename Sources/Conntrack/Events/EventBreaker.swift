import Glibc

/// A circuit breaker that limits the rate of events by sampling them.
///
/// It tracks the rate of all events, received or not, as an exponentially weighted moving average. When the rate
/// exceeds the limit, it reduces the sampled fraction to stay below the limit; when the rate has stayed well below the
/// limit for a while, it returns to all events. In between it changes the fraction only if it is far too large or far
/// too small. The caller supplies the time.
public struct EventBreaker: Hashable, Sendable {
    /// The maximum rate of events to receive, per second.
    public let limit: Double
    /// The smoothed rate of all events, per second.
    public private(set) var rate = 0.0
    /// The fraction of events to receive; 1 for all.
    public private(set) var fraction = 1.0
    /// Number of times sampling started.
    public private(set) var trips: UInt64 = 0

    private var pending: UInt64 = 0
    private var lastDecision: Int64
    private var calmSince: Int64?

    /// The minimum time between two decisions.
    public static let intervalNanoseconds: Int64 = 100_000_000
    /// The time constant of the moving average.
    static let averagingNanoseconds: Int64 = 500_000_000
    /// The time for which the rate must be low before all events are received again.
    static let holdNanoseconds: Int64 = 2_000_000_000
    /// The fraction of the limit that a sample aims for, and below which the rate counts as low.
    static let target = 0.8
    /// The smallest fraction.
    static let minimumFraction = 1.0 / 65536

    /// Creates a breaker that passes all events.
    ///
    /// - Parameters:
    ///   - limit: the maximum rate of events to receive, per second.
    ///   - now: the time of a clock that never steps, in nanoseconds.
    public init(limit: Double, at now: Int64) {
        self.limit = max(limit, 1)
        lastDecision = now
    }

    /// True if only a fraction of the events is received.
    public var isSampling: Bool { fraction < 1 }

    /// Adds events that occurred since the last decision, including lost and excluded ones.
    public mutating func add(_ events: UInt64) { pending += events }

    /// Updates ``fraction``, at most once per ``intervalNanoseconds``.
    ///
    /// - Returns: `true` if ``fraction`` changed.
    public mutating func decide(at now: Int64) -> Bool {
        let elapsed = now - lastDecision
        guard elapsed >= Self.intervalNanoseconds else { return false }
        let current = Double(pending) / (Double(elapsed) / 1e9)
        rate += (1 - exp(-Double(elapsed) / Double(Self.averagingNanoseconds))) * (current - rate)
        pending = 0
        lastDecision = now
        return isSampling ? adjust(at: now) : trip()
    }

    /// The best fraction at the current rate.
    private var wanted: Double { max(Self.target * limit / rate, Self.minimumFraction) }

    private mutating func trip() -> Bool {
        guard rate > limit else { return false }
        fraction = wanted
        calmSince = nil
        trips += 1
        return true
    }

    private mutating func adjust(at now: Int64) -> Bool {
        guard rate > Self.target * limit else {
            let since = calmSince ?? now
            calmSince = since
            guard now - since >= Self.holdNanoseconds else { return false }
            fraction = 1
            return true
        }
        calmSince = nil
        guard rate * fraction > limit || wanted > 1.5 * fraction else { return false }
        fraction = wanted
        return true
    }
}
