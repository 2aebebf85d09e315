/// The kernel's metadata of one sampled packet. A property is `nil` if the kernel did not report it.
///
/// Source: PSAMPLE_ATTR_* in linux/psample.h of Linux 6.12, psample_sample_packet() in net/psample/psample.c.
public struct Sample: Hashable, Sendable {
    /// Index of the interface that received the packet. The kernel reports only its low 16 bits.
    public var inputInterface: UInt32?
    /// Index of the interface that sends the packet; again only its low 16 bits.
    public var outputInterface: UInt32?
    /// Length of the whole packet in bytes; the data may be shorter.
    public var originalSize: UInt32?
    /// The sampler's group (`action sample … group N`, tc-sample(8)).
    public var group: UInt32?
    /// The sample's number within its group, modulo 2^32. Samples that never reached this listener are numbered too.
    public var sequence: UInt32?
    /// N if one packet in N is sampled; with ``isProbability``, N if N packets in 2^32 - 1 are.
    public var rate: UInt32?
    /// True if ``rate`` is a probability, scaled to 2^32 - 1.
    public var isProbability = false
    /// Number of samplers that use the group.
    public var groupReferences: UInt32?
    /// Metadata of the tunnel that the packet left or is about to enter.
    public var tunnel: Tunnel?
    /// The egress traffic class in which the packet was queued.
    public var outputTrafficClass: UInt16?
    /// Bytes queued in that class when the packet was sampled.
    public var outputOccupancy: UInt64?
    /// The packet's transit time through the device that sampled it, in nanoseconds.
    public var latency: UInt64?
    /// The time of sampling, in CLOCK_REALTIME nanoseconds. It is neither the frame's timestamp nor the NIC's.
    public var timestamp: Int64?
    /// The packet's EtherType, in host byte order.
    public var protocolNumber: UInt16?

    /// A sample without metadata.
    public init() {}

    /// The fraction of packets that is sampled, from 0 to 1; `nil` if the kernel does not report a rate or reports
    /// one packet in 0.
    public var probability: Double? {
        guard let rate else { return nil }
        if isProbability { return Double(rate) / Double(UInt32.max) }
        return rate == 0 ? nil : 1 / Double(rate)
    }
}
