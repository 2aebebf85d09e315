/// A sample as it lies in the message that it came in: its bytes are looked at, not copied.
///
/// It looks into memory that it does not own. A callback borrows it, and it can't be copied, so that nobody keeps it by
/// accident; ``copied()`` is for keeping. One is used for all samples, one after the other.
public struct ReceivedSample: ~Copyable {
    public internal(set) var sample = Sample()
    @usableFromInline var data = UnsafeRawBufferPointer(start: nil, count: 0)
    @usableFromInline var cookie: UnsafeRawBufferPointer?
    @usableFromInline var options = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Without anything yet.
    public init() {}

    /// The beginning of the packet, from its link-layer header on, as much as the sampler was told to take. Empty where
    /// the kernel gave none. A VLAN tag that the NIC or kernel has taken out is not in it.
    @inlinable
    public func withData<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
    {
        try body(data.bytes)
    }

    /// What the sampler's user has put beside the packet, copied; `nil` for none.
    public var userCookie: [UInt8]? { cookie.map { Array($0) } }

    /// The same without a copy; empty where there is none.
    @inlinable
    public func withUserCookie<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body((cookie ?? UnsafeRawBufferPointer(start: nil, count: 0)).bytes)
    }

    /// The tunnel's options, whose kind is ``Tunnel/options``; empty where there are none.
    @inlinable
    public func withTunnelOptions<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(options.bytes)
    }

    /// Sample and bytes, for keeping.
    public func copied() -> SampledPacket {
        SampledPacket(
            sample: sample, data: Array(data), userCookie: cookie.map { Array($0) }, tunnelOptions: Array(options))
    }
}

/// A sample and copies of its bytes.
public struct SampledPacket: Hashable, Sendable {
    public var sample: Sample
    /// The beginning of the packet, from its link-layer header on.
    public var data: [UInt8]
    /// What the sampler's user has put beside the packet.
    public var userCookie: [UInt8]?
    /// Empty where there are none.
    public var tunnelOptions: [UInt8]

    /// A sample with its bytes.
    public init(sample: Sample, data: [UInt8], userCookie: [UInt8]? = nil, tunnelOptions: [UInt8] = []) {
        self.sample = sample
        self.data = data
        self.userCookie = userCookie
        self.tunnelOptions = tunnelOptions
    }
}
