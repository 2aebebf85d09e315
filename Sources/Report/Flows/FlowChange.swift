/// A change of a session's flow in the kernel's connection tracking, with the flow's state after it.
public struct FlowChange: Sendable, Hashable {
    /// The kind of a change.
    public enum Kind: String, Sendable, Hashable {
        /// The flow was in the table before the run.
        case found
        /// The flow entered the table.
        case new
        /// The flow's confirmation, reply status or translation changed.
        case changed
        /// The flow left the table.
        case gone
    }

    public var kind: Kind
    /// The time when the change was received, in Unix nanoseconds of this host's CLOCK_REALTIME.
    public var noticed: Int64
    /// True for the local session's flow; false for another flow of this host on the reflectors' port, usually one that
    /// it answers.
    public var isLocalSession: Bool
    /// The number of the network namespace that tracks the flow (`ip netns list-id`); nil for the current namespace.
    public var namespace: Int32?
    /// Packets in the direction of the flow's first packet: "192.0.2.1:49152 > 192.0.2.2:862".
    public var original: String
    /// The same packets after translation; nil if they are not translated.
    public var translated: String?
    /// The same packets after the previous translation; nil if the translation has not changed.
    public var translatedBefore: String?
    /// True if the flow's first packet has left the host or reached its socket.
    public var isConfirmed: Bool
    /// True if packets were seen in both directions.
    public var isReplied: Bool

    /// A change with the state after it.
    public init(
        _ kind: Kind, noticed: Int64, isLocalSession: Bool, namespace: Int32? = nil, original: String,
        translated: String? = nil, translatedBefore: String? = nil, isConfirmed: Bool, isReplied: Bool
    ) {
        self.kind = kind
        self.noticed = noticed
        self.isLocalSession = isLocalSession
        self.namespace = namespace
        self.original = original
        self.translated = translated
        self.translatedBefore = translatedBefore
        self.isConfirmed = isConfirmed
        self.isReplied = isReplied
    }

    /// True if the translation has changed, which can cause a step in the delay.
    public var isRetranslated: Bool { translatedBefore != nil }

    /// The flow without its state: "192.0.2.1:49152 > 192.0.2.2:862 in namespace 3".
    public var flow: String { original + (namespace.map { " in namespace \($0)" } ?? "") }

    /// The state: "confirmed, unreplied, translated to 192.0.2.1:49152 > 198.51.100.2:862".
    public var state: String {
        var parts = [isConfirmed ? "confirmed" : "unconfirmed", isReplied ? "replied" : "unreplied"]
        parts.append(translated.map { "translated to \($0)" } ?? "not translated")
        return parts.joined(separator: ", ")
    }

    /// The change of the translation as a sentence without its full stop; nil for other changes.
    public var retranslation: String? {
        translatedBefore.map { before in
            "The translation of \(flow) changed at \(timestampText(noticed)), from \(before) to \(translated ?? original)"
        }
    }

    /// The consequence of a changed translation, as a sentence.
    public static let retranslationEffect = "It can explain a step in the delay at that time."

    /// The change as a JSON object.
    var jsonValue: JSONValue {
        .object([
            ("event", .string(kind.rawValue)), ("noticed", .string(timestampText(noticed))),
            ("noticed_ns", .integer(noticed)), ("session", .string(isLocalSession ? "own" : "answered")),
            ("namespace", namespace.map { .integer(Int64($0)) } ?? .null), ("original", .string(original)),
            ("confirmed", .bool(isConfirmed)), ("replied", .bool(isReplied)),
            ("translated", translated.map(JSONValue.string) ?? .null),
            ("translated_before", translatedBefore.map(JSONValue.string) ?? .null),
        ])
    }
}
