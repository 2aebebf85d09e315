/// What became of the events of one listener: what was received and everything that was not.
public struct EventAccount: Hashable, Sendable {
    /// Events that were read and given.
    public var received: UInt64 = 0
    /// How often the kernel said that the socket's buffer had been full (ENOBUFS).
    public var overruns: UInt64 = 0
    /// Events that the full buffer lost, each counted by the kernel.
    public var lost: UInt64 = 0
    /// Events that the sampler left out.
    public var leftOut: UInt64 = 0
    /// Whether ``leftOut`` was counted by the sampler itself. Otherwise it is estimated from what it let through.
    public var isLeftOutExact = true
    /// Events that were there when the listener ended, and were given to nobody.
    public var unread: UInt64 = 0
    /// How often everything became a sample.
    public var trips: UInt64 = 0
    /// Messages that could not be read. They were given to nobody.
    public var malformed: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Every event that the kernel had for this listener, as far as ``isLeftOutExact``.
    public var total: UInt64 { received + lost + leftOut + malformed + unread }
}
