import Glibc

/// Decides how large a part of the events to take, so that a storm of them is not more than the listener can bear.
///
/// It follows the rate of all events, taken or not, as an exponentially weighted moving average. When that goes above
/// the limit it asks for a sample small enough to come below; when it has stayed well below for a while, for everything
/// again. Between the two it changes the sample only where that is much too large or much too small. It reads no clock.
public struct EventBreaker: Hashable, Sendable {
    /// Events a second that may be taken.
    public let limit: Double
    /// All events a second, smoothed.
    public private(set) var rate = 0.0
    /// The part of the events to take: 1 is everything.
    public private(set) var fraction = 1.0
    /// How often everything became a sample.
    public private(set) var trips: UInt64 = 0

    private var pending: UInt64 = 0
    private var lastDecision: Int64
    private var calmSince: Int64?

    /// Time between two decisions at least, in nanoseconds.
    public static let interval: Int64 = 100_000_000
    /// What is older than this counts a third, in nanoseconds.
    static let memory: Int64 = 500_000_000
    /// How long the rate must be low before everything is taken again, in nanoseconds.
    static let holdTime: Int64 = 2_000_000_000
    /// The part of the limit that a sample is to fill, and below which the rate is low.
    static let target = 0.8
    /// The smallest sample.
    static let least = 1.0 / 65536

    /// - Parameters:
    ///   - limit: events a second that may be taken.
    ///   - now: any clock that never steps, in nanoseconds.
    public init(limit: Double, at now: Int64) {
        self.limit = max(limit, 1)
        lastDecision = now
    }

    /// Whether a part of the events is left out.
    public var isSampling: Bool { fraction < 1 }

    /// Takes note of events that there were since the last decision: taken, lost and left out alike.
    public mutating func add(_ events: UInt64) { pending += events }

    /// Decides, where that is due.
    ///
    /// - Returns: whether ``fraction`` is another than before.
    public mutating func decide(at now: Int64) -> Bool {
        let elapsed = now - lastDecision
        guard elapsed >= Self.interval else { return false }
        let current = Double(pending) / (Double(elapsed) / 1e9)
        rate += (1 - exp(-Double(elapsed) / Double(Self.memory))) * (current - rate)
        pending = 0
        lastDecision = now
        return isSampling ? adjust(at: now) : trip()
    }

    /// What a sample of the present rate should be.
    private var wanted: Double { max(Self.target * limit / rate, Self.least) }

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
            guard now - since >= Self.holdTime else { return false }
            fraction = 1
            return true
        }
        calmSince = nil
        guard rate * fraction > limit || wanted > 1.5 * fraction else { return false }
        fraction = wanted
        return true
    }
}
