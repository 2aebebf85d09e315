/// A JSON value whose objects keep the order of their keys.
public indirect enum JSONValue: Sendable {
    /// null.
    case null
    /// true or false.
    case bool(Bool)
    /// An integer.
    case integer(Int64)
    /// An integer that may exceed Int64.
    case unsigned(UInt64)
    /// A number; written as null if it is not finite.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object with its keys in order.
    case object([(key: String, value: JSONValue)])

    /// The value on one line.
    public var compact: String { text(pretty: false) }

    /// The value on several lines, each level indented by two spaces, without a line end.
    public var pretty: String { text(pretty: true) }

    private func text(pretty: Bool) -> String {
        var writer = JSONWriter(pretty: pretty)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Writes the value to a writer.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let flag): writer.value(flag)
        case .integer(let value): writer.value(value)
        case .unsigned(let value): writer.value(value)
        case .number(let value): writer.value(value)
        case .string(let text): writer.value(text)
        case .array(let values):
            writer.beginArray()
            for value in values { value.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for (key, value) in members {
                writer.key(key)
                value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
