/// What a run was: the JSON file beside a packet log, an ordered list of facts.
///
/// The well-known facts have methods of their own so that every run names them alike; others are added with `set`.
public struct RunDescription: Sendable {
    private var members: [(key: String, value: JSONValue)] = []

    /// A description without facts.
    public init() {}

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
    /// What the kernel says of its clock (adjtimex(2)): whether it is synchronised, and the errors in nanoseconds;
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
    /// What is known of the peers, an object for each.
    public mutating func set(peers: [[(key: String, value: JSONValue)]]) {
        set("peers", .array(peers.map(JSONValue.object)))
    }

    /// The file's contents: JSON indented by two spaces, with a line end.
    public func json() -> String { JSONValue.object(members).pretty + "\n" }
}
