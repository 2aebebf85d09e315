/// The facts about a run: the JSON file beside a packet log, written and read.
///
/// The well-known facts have methods and properties of their own so that every run names them alike; others are added with
/// `set` and read by their key.
public struct RunDescription: Sendable, Equatable {
    private var members: [(key: String, value: JSONValue)] = []

    /// A description without facts.
    public init() {}

    /// Reads a description's file.
    ///
    /// - Throws: ``JSONError`` for anything that is not one JSON object.
    public init(json bytes: [UInt8]) throws(JSONError) {
        guard case .object(let members) = try JSONValue(json: bytes) else {
            throw JSONError(description: "not the description of a run: its JSON is no object")
        }
        self.members = members
    }

    /// True if both have the same facts, in whatever order.
    public static func == (left: Self, right: Self) -> Bool {
        JSONValue.object(left.members) == JSONValue.object(right.members)
    }

    /// A fact by its key; nil without it.
    public subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }

    /// The version of the program.
    public var version: String? { self["version"]?.text }
    /// The host's name.
    public var host: String? { self["host"]?.text }
    /// The kernel's release.
    public var kernel: String? { self["kernel"]?.text }
    /// The interface's name.
    public var interface: String? { self["interface"]?.text }
    /// The session id.
    public var session: UInt64? { self["session"]?.text.flatMap { parseSession(Array($0.utf8)[...]) } }
    /// When the run began: CLOCK_REALTIME, nanoseconds since the Unix epoch.
    public var started: Int64? { self["started_ns"]?.integer }
    /// The time of the measurement in nanoseconds; nil for a run that has not ended.
    public var duration: Int64? { self["duration_ns"]?.integer }
    /// An option of the run by its name; nil where the run had none of that name.
    public func option(_ name: String) -> JSONValue? { self["options"]?[name] }
    /// True if the kernel called its clock synchronised (adjtimex(2)).
    public var isClockSynchronized: Bool? { self["clock"]?["synchronized"]?.flag }
    /// The peers, an object for each.
    public var peers: [JSONValue] { self["peers"]?.elements ?? [] }

    /// Sets a fact: replaces its value where it stands, or adds it at the end.
    public mutating func set(_ key: String, _ value: JSONValue) {
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value = value
        } else {
            members.append((key, value))
        }
    }

    /// The version of the program.
    public mutating func set(version: String) { set("version", .string(version)) }
    /// The host's name.
    public mutating func set(host: String) { set("host", .string(host)) }
    /// The kernel's release, as uname(2) gives it.
    public mutating func set(kernel: String) { set("kernel", .string(kernel)) }
    /// The interface's name.
    public mutating func set(interface: String) { set("interface", .string(interface)) }
    /// The session id, written as 16 hexadecimal digits as in the log.
    public mutating func set(session: UInt64) { set("session", .string(sessionText(session))) }
    /// When the run began, in nanoseconds since the Unix epoch (CLOCK_REALTIME), also written out.
    public mutating func set(started nanoseconds: Int64) {
        set("started_ns", .integer(nanoseconds))
        set("started", .string(timestampText(nanoseconds)))
    }
    /// The options of the run in their order, name and value.
    public mutating func set(options: [(name: String, value: JSONValue)]) {
        set("options", .object(options.map { (key: $0.name, value: $0.value) }))
    }
    /// The quality of the kernel's clock (adjtimex(2)): whether it is synchronised, and the errors in nanoseconds;
    /// nil where it does not say.
    public mutating func set(clockSynchronized: Bool, maxError: Int64?, estimatedError: Int64?) {
        set(
            "clock",
            .object([
                ("synchronized", .bool(clockSynchronized)),
                ("max_error_ns", maxError.map(JSONValue.integer) ?? .null),
                ("est_error_ns", estimatedError.map(JSONValue.integer) ?? .null),
            ]))
    }
    /// The peers, an object for each.
    public mutating func set(peers: [[(key: String, value: JSONValue)]]) {
        set("peers", .array(peers.map(JSONValue.object)))
    }

    /// The file's contents: JSON indented by two spaces, with a line end.
    public func json() -> String { JSONValue.object(members).pretty + "\n" }
}
