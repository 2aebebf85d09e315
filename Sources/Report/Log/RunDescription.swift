/// The description of a run: the JSON file that accompanies a packet log.
///
/// The common facts have their own methods and properties, so that every run uses the same keys. Others are set and
/// read by their key.
public struct RunDescription: Sendable, Equatable {
    private var members: [(key: String, value: JSONValue)] = []

    /// Creates an empty description.
    public init() {}

    /// Parses a description's file.
    ///
    /// - Throws: ``JSONError`` if the file is not one JSON object.
    public init(json bytes: [UInt8]) throws(JSONError) {
        guard case .object(let members) = try JSONValue(json: bytes) else {
            throw JSONError(description: "not the description of a run: its JSON is not an object")
        }
        self.members = members
    }

    /// True if both have the same facts, in any order.
    public static func == (left: Self, right: Self) -> Bool {
        JSONValue.object(left.members) == JSONValue.object(right.members)
    }

    /// The fact of a key; nil if there is none.
    public subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }

    /// The version of the application.
    public var version: String? { self["version"]?.text }
    /// The host's name.
    public var host: String? { self["host"]?.text }
    /// The kernel's release.
    public var kernel: String? { self["kernel"]?.text }
    /// The interface's name.
    public var interface: String? { self["interface"]?.text }
    /// The session ID.
    public var session: UInt64? { self["session"]?.text.flatMap { parseSession(Array($0.utf8)[...]) } }
    /// The start of the run, in nanoseconds of CLOCK_REALTIME since the Unix epoch.
    public var started: Int64? { self["started_ns"]?.integer }
    /// The duration of the measurement in nanoseconds; nil for a run that has not ended.
    public var duration: Int64? { self["duration_ns"]?.integer }
    /// The option of a name; nil if the run has no such option.
    public func option(_ name: String) -> JSONValue? { self["options"]?[name] }
    /// True if the kernel reported its clock as synchronised (adjtimex(2)).
    public var isClockSynchronized: Bool? { self["clock"]?["synchronized"]?.flag }
    /// The peers, one object each.
    public var peers: [JSONValue] { self["peers"]?.elements ?? [] }

    /// Sets a fact: replaces its value in place, or appends it.
    public mutating func set(_ key: String, _ value: JSONValue) {
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value = value
        } else {
            members.append((key, value))
        }
    }

    /// Sets the version of the application.
    public mutating func set(version: String) { set("version", .string(version)) }
    /// Sets the host's name.
    public mutating func set(host: String) { set("host", .string(host)) }
    /// Sets the kernel's release, as in uname(2).
    public mutating func set(kernel: String) { set("kernel", .string(kernel)) }
    /// Sets the interface's name.
    public mutating func set(interface: String) { set("interface", .string(interface)) }
    /// Sets the session ID, written as 16 hexadecimal digits as in the log.
    public mutating func set(session: UInt64) { set("session", .string(sessionText(session))) }
    /// Sets the start of the run, in nanoseconds of CLOCK_REALTIME since the Unix epoch, as a number and as text.
    public mutating func set(started nanoseconds: Int64) {
        set("started_ns", .integer(nanoseconds))
        set("started", .string(timestampText(nanoseconds)))
    }
    /// Sets the options of the run, in their order.
    public mutating func set(options: [(name: String, value: JSONValue)]) {
        set("options", .object(options.map { (key: $0.name, value: $0.value) }))
    }
    /// Sets the quality of the kernel's clock (adjtimex(2)): whether it is synchronised, and its errors in nanoseconds,
    /// nil if unknown.
    public mutating func set(clockSynchronized: Bool, maxError: Int64?, estimatedError: Int64?) {
        set(
            "clock",
            .object([
                ("synchronized", .bool(clockSynchronized)),
                ("max_error_ns", maxError.map(JSONValue.integer) ?? .null),
                ("est_error_ns", estimatedError.map(JSONValue.integer) ?? .null),
            ]))
    }
    /// Sets the peers, one object each.
    public mutating func set(peers: [[(key: String, value: JSONValue)]]) {
        set("peers", .array(peers.map(JSONValue.object)))
    }

    /// Returns the file's contents: JSON, indented by two spaces, with a line end.
    public func json() -> String { JSONValue.object(members).pretty + "\n" }
}
