/// What the kernel's connection tracking knew of a session's flow from some moment on.
public struct FlowChange: Sendable, Hashable {
    /// What happened.
    public enum Kind: String, Sendable, Hashable {
        /// The flow was there before anybody looked.
        case found
        /// It came into the table.
        case new
        /// It is confirmed, answered or translated otherwise than before.
        case changed
        /// It left the table.
        case gone
    }

    public var kind: Kind
    /// When it was noticed: Unix nanoseconds of this host's CLOCK_REALTIME.
    public var noticed: Int64
    /// Whether it is the own session's flow; otherwise another one of this host's and the port, as a rule one that it
    /// answers.
    public var isLocalSession: Bool
    /// The number of the network namespace that tracks it (`ip netns list-id`); nil for this process's own.
    public var namespace: Int32?
    /// Packets of the direction in which the first one went: "192.0.2.1:49152 > 192.0.2.2:862".
    public var original: String
    /// The same packets as they leave, where that is different.
    public var translated: String?
    /// How they left until then, where that has changed.
    public var translatedBefore: String?
    /// Whether the first packet has left the host or reached its socket.
    public var isConfirmed: Bool
    /// Whether packets were seen in both directions.
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

    /// Whether packets leave otherwise than those before: a step in the delay can come from that.
    public var isRetranslated: Bool { translatedBefore != nil }

    /// The flow without its state: "192.0.2.1:49152 > 192.0.2.2:862 in namespace 3".
    public var flow: String { original + (namespace.map { " in namespace \($0)" } ?? "") }

    /// The state: "confirmed, unreplied, leaves as 192.0.2.1:49152 > 198.51.100.2:862".
    public var state: String {
        var parts = [isConfirmed ? "confirmed" : "unconfirmed", isReplied ? "replied" : "unreplied"]
        parts.append(translated.map { "translated, leaves as \($0)" } ?? "not translated")
        return parts.joined(separator: ", ")
    }

    /// What a change of the translation means, as a sentence without its full stop; nil for other changes.
    public var retranslation: String? {
        translatedBefore.map { before in
            "\(flow) was translated otherwise from \(timestampText(noticed)) on: it leaves as \(translated ?? original), "
                + "before as \(before)"
        }
    }

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
