/// What the kernel says of one packet that it sampled, besides the packet's bytes. What is `nil` it did not say.
///
/// Source: PSAMPLE_ATTR_* in linux/psample.h of Linux 6.12, psample_sample_packet() in net/psample/psample.c.
public struct Sample: Hashable, Sendable {
    /// The interface that the packet came in by. The kernel keeps the low 16 bits of the number alone.
    public var inputInterface: UInt32?
    /// The interface that it leaves by, with the same restriction.
    public var outputInterface: UInt32?
    /// The whole packet's bytes, of which the data may be the beginning alone.
    public var originalSize: UInt32?
    /// The number that the sampler was set up with (`action sample … group N`, tc-sample(8)).
    public var group: UInt32?
    /// Counts the group's samples, modulo 2^32, those included that never reached this listener.
    public var sequence: UInt32?
    /// One packet of so many is sampled; with ``isProbability`` so many of 2^32 - 1 are.
    public var rate: UInt32?
    /// What ``rate`` means.
    public var isProbability = false
    /// How many samplers use the group.
    public var groupReferences: UInt32?
    /// Metadata of the tunnel that it came out of, or goes into.
    public var tunnel: Tunnel?
    /// The traffic class that it was queued in on its way out.
    public var outputTrafficClass: UInt16?
    /// Bytes that waited in that class when it was sampled.
    public var outputOccupancy: UInt64?
    /// How long it took through the device that sampled it, in nanoseconds.
    public var latency: UInt64?
    /// When it was sampled: CLOCK_REALTIME, nanoseconds. Neither the frame's own timestamp nor a NIC's.
    public var timestamp: Int64?
    /// The packet's EtherType, in this host's order.
    public var protocolNumber: UInt16?

    /// A sample of which the kernel said nothing.
    public init() {}

    /// The share of packets that is sampled, above 0 to 1; `nil` where the kernel does not say, or says 1 of 0.
    public var probability: Double? {
        guard let rate else { return nil }
        if isProbability { return Double(rate) / Double(UInt32.max) }
        return rate == 0 ? nil : 1 / Double(rate)
    }
}
