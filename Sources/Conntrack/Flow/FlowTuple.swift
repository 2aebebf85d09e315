import NetworkAddresses

/// The key by which the kernel matches packets to one direction of a flow: addresses, protocol, and ports or their
/// equivalent.
///
/// Source: struct nf_conntrack_tuple in the kernel's net/netfilter/nf_conntrack_tuple.h.
public struct FlowTuple: Hashable, Sendable {
    /// The protocol-specific part of the key.
    public enum Selector: Hashable, Sendable {
        /// The ports of TCP, UDP, UDP-Lite, SCTP and DCCP, or the keys of GRE.
        case ports(source: UInt16, destination: UInt16)
        /// The fields of ICMP and ICMPv6 queries.
        case icmp(type: UInt8, code: UInt8, identifier: UInt16)
        /// Nothing, for protocols that the kernel tracks only by address.
        case none
    }

    public var source: IPAddress
    /// The destination address, of the same family as the source.
    public var destination: IPAddress
    public var transport: TransportProtocol
    public var selector: Selector

    /// A tuple with the given values.
    public init(
        source: IPAddress, destination: IPAddress, transport: TransportProtocol, selector: Selector
    ) {
        self.source = source
        self.destination = destination
        self.transport = transport
        self.selector = selector
    }

    /// A tuple of a protocol with ports.
    public init(
        _ transport: TransportProtocol, from source: IPAddress, port sourcePort: UInt16, to destination: IPAddress,
        port destinationPort: UInt16
    ) {
        self.init(
            source: source, destination: destination, transport: transport,
            selector: .ports(source: sourcePort, destination: destinationPort))
    }

    /// The source port; `nil` for protocols without ports.
    public var sourcePort: UInt16? {
        guard case .ports(let source, _) = selector else { return nil }
        return source
    }

    /// The destination port; `nil` for protocols without ports.
    public var destinationPort: UInt16? {
        guard case .ports(_, let destination) = selector else { return nil }
        return destination
    }

    /// The tuple of replies to these packets without NAT: source and destination are swapped, and an ICMP query's type
    /// becomes its reply's type or vice versa.
    ///
    /// Source: invmap in the kernel's nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c.
    public var inverted: FlowTuple {
        FlowTuple(
            source: destination, destination: source, transport: transport, selector: invertedSelector)
    }

    private var invertedSelector: Selector {
        switch selector {
        case .ports(let source, let destination): .ports(source: destination, destination: source)
        case .icmp(let type, let code, let identifier):
            .icmp(
                type: transport == .icmpv6 ? answeringICMPv6(type) : answeringICMP(type), code: code,
                identifier: identifier)
        case .none: .none
        }
    }

    /// Returns whether this tuple equals `other` or its inverse.
    public func isEqualOrInverse(of other: FlowTuple) -> Bool { self == other || self == other.inverted }
}

/// Maps echo, timestamp, information and address mask requests to replies and back (RFC 792, RFC 950).
private func answeringICMP(_ type: UInt8) -> UInt8 {
    switch type {
    case 8: 0
    case 0: 8
    case 13, 15, 17: type + 1
    case 14, 16, 18: type - 1
    default: type
    }
}

/// Maps echo (RFC 4443) and node information (RFC 4620) queries to replies and back.
private func answeringICMPv6(_ type: UInt8) -> UInt8 {
    switch type {
    case 128, 139: type + 1
    case 129, 140: type - 1
    default: type
    }
}
