/// The ends of a flow that are translated, of its original direction.
public struct TranslatedEnds: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    /// Ends by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The source: masquerading, SNAT. An ICMP query's identifier counts as it.
    public static let source = TranslatedEnds(rawValue: 1)
    /// The destination: DNAT, redirection.
    public static let destination = TranslatedEnds(rawValue: 2)

    /// The bits' names, lowest first.
    static let names: [StaticString] = ["source", "destination"]
}

extension Flow {
    /// Which ends are translated: those in which the reply tuple is not the original turned round.
    ///
    /// ``FlowStatus/sourceNAT`` and ``FlowStatus/destinationNAT`` say the same but for rules that translate an end into
    /// itself.
    public var translatedEnds: TranslatedEnds {
        let plain = original.turnedRound
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

    /// Whether an end is.
    public var isTranslated: Bool { !translatedEnds.isEmpty }

    /// Packets of the original direction as they leave, translated; equal to ``original`` where nothing is translated.
    public var translated: FlowTuple { reply.turnedRound }

    /// A direction of a flow. Source: enum ip_conntrack_dir in linux/netfilter/nf_conntrack_tuple_common.h.
    public enum Direction: Hashable, Sendable {
        case original
        case reply
    }

    /// Which direction's packets look like the tuple, before they are translated or after; `nil` for none's.
    ///
    /// Zones are not looked at.
    public func direction(of tuple: FlowTuple) -> Direction? {
        if tuple == original || tuple == translated { return .original }
        if tuple == reply || tuple == original.turnedRound { return .reply }
        return nil
    }
}
