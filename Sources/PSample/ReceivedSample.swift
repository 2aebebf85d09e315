/// A view of a sample in the message that carried it; nothing is copied.
///
/// It refers to memory that it does not own. A callback borrows it, and it is not copyable, so that it cannot be kept
/// by accident; use ``copied()`` to keep a sample. One instance is reused for every sample.
public struct ReceivedSample: ~Copyable {
    public internal(set) var sample = Sample()
    @usableFromInline var data = UnsafeRawBufferPointer(start: nil, count: 0)
    @usableFromInline var cookie: UnsafeRawBufferPointer?
    @usableFromInline var options = UnsafeRawBufferPointer(start: nil, count: 0)

    /// An empty sample.
    public init() {}

    /// Calls `body` with the start of the packet, from its link-layer header, truncated to the sampler's configured
    /// length. The span is empty if the kernel sent no data. A VLAN tag that the NIC or kernel has stripped is missing.
    @inlinable
    public func withData<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
    {
        try body(data.bytes)
    }

    /// A copy of the cookie that the sampler's user attached; `nil` if there is none.
    public var userCookie: [UInt8]? { cookie.map { Array($0) } }

    /// Calls `body` with the user cookie, without copying it; the span is empty if there is none.
    @inlinable
    public func withUserCookie<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body((cookie ?? UnsafeRawBufferPointer(start: nil, count: 0)).bytes)
    }

    /// Calls `body` with the tunnel's options, whose kind is ``Tunnel/options``; the span is empty if there are none.
    @inlinable
    public func withTunnelOptions<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(options.bytes)
    }

    /// Copies the sample and its bytes.
    public func copied() -> SampledPacket {
        SampledPacket(
            sample: sample, data: Array(data), userCookie: cookie.map { Array($0) }, tunnelOptions: Array(options))
    }
}

/// A sample and copies of its bytes.
public struct SampledPacket: Hashable, Sendable {
    public var sample: Sample
    /// The start of the packet, from its link-layer header.
    public var data: [UInt8]
    /// The cookie that the sampler's user attached; `nil` if there is none.
    public var userCookie: [UInt8]?
    /// The tunnel's options; empty if there are none.
    public var tunnelOptions: [UInt8]

    /// A sample with the given bytes.
    public init(sample: Sample, data: [UInt8], userCookie: [UInt8]? = nil, tunnelOptions: [UInt8] = []) {
        self.sample = sample
        self.data = data
        self.userCookie = userCookie
        self.tunnelOptions = tunnelOptions
    }
}
