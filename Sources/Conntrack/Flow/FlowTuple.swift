import NetworkAddresses

/// What the kernel tells packets of one direction of a flow by: both addresses, the protocol, and its ports or the like.
///
/// Source: struct nf_conntrack_tuple in the kernel's net/netfilter/nf_conntrack_tuple.h.
public struct FlowTuple: Hashable, Sendable {
    /// What a protocol tells its own flows by.
    public enum Selector: Hashable, Sendable {
        /// TCP, UDP, UDP-Lite, SCTP and DCCP. For GRE these are the keys.
        case ports(source: UInt16, destination: UInt16)
        /// ICMP and ICMPv6 queries.
        case icmp(type: UInt8, code: UInt8, identifier: UInt16)
        /// Protocols that the kernel tracks by the addresses alone.
        case none
    }

    public var source: IPAddress
    /// Of the same family as the source.
    public var destination: IPAddress
    public var transport: TransportProtocol
    public var selector: Selector

    /// A tuple of any protocol.
    public init(
        source: IPAddress, destination: IPAddress, transport: TransportProtocol, selector: Selector
    ) {
        self.source = source
        self.destination = destination
        self.transport = transport
        self.selector = selector
    }

    /// A flow of a protocol with ports.
    public init(
        _ transport: TransportProtocol, from source: IPAddress, port sourcePort: UInt16, to destination: IPAddress,
        port destinationPort: UInt16
    ) {
        self.init(
            source: source, destination: destination, transport: transport,
            selector: .ports(source: sourcePort, destination: destinationPort))
    }

    /// `nil` for protocols without ports.
    public var sourcePort: UInt16? {
        guard case .ports(let source, _) = selector else { return nil }
        return source
    }

    /// `nil` for protocols without ports.
    public var destinationPort: UInt16? {
        guard case .ports(_, let destination) = selector else { return nil }
        return destination
    }

    /// What an answer to this direction's packets looks like where nothing is translated: ends swapped, an ICMP query's
    /// type that of its answer and the other way round.
    ///
    /// Source: invmap in the kernel's nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c.
    public var turnedRound: FlowTuple {
        FlowTuple(
            source: destination, destination: source, transport: transport, selector: turnedSelector)
    }

    private var turnedSelector: Selector {
        switch selector {
        case .ports(let source, let destination): .ports(source: destination, destination: source)
        case .icmp(let type, let code, let identifier):
            .icmp(
                type: transport == .icmpv6 ? answeringICMPv6(type) : answeringICMP(type), code: code,
                identifier: identifier)
        case .none: .none
        }
    }

    /// Whether the other tuple is this one, or the one of packets back along the same way.
    public func isSameWay(as other: FlowTuple) -> Bool { self == other || self == other.turnedRound }
}

/// Echo, timestamp, information and address mask requests and their replies (RFC 792, RFC 950).
private func answeringICMP(_ type: UInt8) -> UInt8 {
    switch type {
    case 8: 0
    case 0: 8
    case 13, 15, 17: type + 1
    case 14, 16, 18: type - 1
    default: type
    }
}

/// Echo (RFC 4443) and node information (RFC 4620) queries and their answers.
private func answeringICMPv6(_ type: UInt8) -> UInt8 {
    switch type {
    case 128, 139: type + 1
    case 129, 140: type - 1
    default: type
    }
}
