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
    public var compact: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The value on several lines, each level indented by two spaces, without a line end.
    public var pretty: String {
        var bytes: [UInt8] = []
        append(pretty: &bytes, level: 0)
        return String(decoding: bytes, as: UTF8.self)
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

    private func append(pretty bytes: inout [UInt8], level: Int) {
        switch self {
        case .array(let values) where !values.isEmpty:
            Self.append(to: &bytes, level: level, brackets: ("[", "]"), values) { bytes, value in
                value.append(pretty: &bytes, level: level + 1)
            }
        case .object(let members) where !members.isEmpty:
            Self.append(to: &bytes, level: level, brackets: ("{", "}"), members) { bytes, member in
                bytes.appendJSON(string: member.key)
                bytes.append(text: ": ")
                member.value.append(pretty: &bytes, level: level + 1)
            }
        default:
            bytes.append(text: compact)
        }
    }

    private static func append<Element>(
        to bytes: inout [UInt8], level: Int, brackets: (String, String), _ elements: [Element],
        _ body: (inout [UInt8], Element) -> Void
    ) {
        bytes.append(text: brackets.0)
        for (index, element) in elements.enumerated() {
            bytes.append(text: index == 0 ? "\n" : ",\n")
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * (level + 1)))
            body(&bytes, element)
        }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
        bytes.append(text: brackets.1)
    }
}
