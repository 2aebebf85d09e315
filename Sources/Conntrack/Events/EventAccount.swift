/// Counters of one listener's events, received and missed.
public struct EventAccount: Hashable, Sendable {
    /// Events that were delivered.
    public var received: UInt64 = 0
    /// Number of times the kernel reported a full socket buffer (ENOBUFS).
    public var overruns: UInt64 = 0
    /// Events lost to a full buffer, as counted by the kernel.
    public var lost: UInt64 = 0
    /// Events that the sampler excluded.
    public var leftOut: UInt64 = 0
    /// True if the sampler counted ``leftOut``; `false` if it is estimated from the events that passed.
    public var isLeftOutExact = true
    /// Events still queued when the listener ended.
    public var unread: UInt64 = 0
    /// Number of times sampling started.
    public var trips: UInt64 = 0
    /// Messages that could not be decoded.
    public var malformed: UInt64 = 0

    /// An account without events.
    public init() {}

    /// All events that the kernel had for this listener; exact if ``isLeftOutExact``.
    public var total: UInt64 { received + lost + leftOut + malformed + unread }
}
