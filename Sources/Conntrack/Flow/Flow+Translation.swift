/// The translated ends of a flow, in its original direction.
public struct TranslatedEnds: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    /// A set of ends by its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The source is translated (masquerading, SNAT). An ICMP query's identifier counts as part of the source.
    public static let source = TranslatedEnds(rawValue: 1)
    /// The destination is translated (DNAT, redirection).
    public static let destination = TranslatedEnds(rawValue: 2)

    /// The names of the bits, lowest first.
    static let names: [StaticString] = ["source", "destination"]
}

extension Flow {
    /// The translated ends: those in which the reply tuple differs from the inverse of the original tuple.
    ///
    /// ``FlowStatus/sourceNAT`` and ``FlowStatus/destinationNAT`` are equivalent, except for rules that translate an
    /// end to itself.
    public var translatedEnds: TranslatedEnds {
        let plain = original.inverted
        if reply == plain { return [] }
        var ends: TranslatedEnds = []
        if reply.destination != plain.destination { ends.insert(.source) }
        if reply.source != plain.source { ends.insert(.destination) }
        switch (reply.selector, plain.selector) {
        case (.ports(let source, let destination), .ports(let plainSource, let plainDestination)):
            if destination != plainDestination { ends.insert(.source) }
            if source != plainSource { ends.insert(.destination) }
        case (.icmp(_, _, let identifier), .icmp(_, _, let plainIdentifier)):
            if identifier != plainIdentifier { ends.insert(.source) }
        default: break
        }
        return ends
    }

    /// True if an end is translated.
    public var isTranslated: Bool { !translatedEnds.isEmpty }

    /// The tuple of original-direction packets after translation; equal to ``original`` without NAT.
    public var translated: FlowTuple { reply.inverted }

    /// A direction of a flow. Source: enum ip_conntrack_dir in linux/netfilter/nf_conntrack_tuple_common.h.
    public enum Direction: Hashable, Sendable {
        case original
        case reply
    }

    /// Returns the direction of packets with that tuple, before or after translation; `nil` if the flow has no such
    /// tuple.
    ///
    /// Zones are ignored.
    public func direction(of tuple: FlowTuple) -> Direction? {
        if tuple == original || tuple == translated { return .original }
        if tuple == reply || tuple == original.inverted { return .reply }
        return nil
    }
}
