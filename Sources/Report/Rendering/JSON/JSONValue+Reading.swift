import FoundationEssentials

/// An error in a JSON text.
public struct JSONError: Error, Sendable, CustomStringConvertible {
    /// The error as text.
    public let description: String
}

extension JSONValue {
    /// Parses a JSON text (RFC 8259). Integers keep all digits. The keys of an object are sorted by name, since their
    /// order has no meaning in JSON.
    ///
    /// - Throws: ``JSONError`` if the text is not one JSON value.
    public init(json bytes: [UInt8]) throws(JSONError) {
        do {
            self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw JSONError(description: "not JSON: \(Self.reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard case .dataCorrupted(let context)? = error as? DecodingError else { return "\(error)" }
        return context.underlyingError.map { "\($0)" } ?? context.debugDescription
    }

    /// The value of an object's key; nil if the value is no object or has no such key.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The value as an integer; nil for other values, and for integers beyond Int64.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .unsigned(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// The value as a string; nil for other values.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value as a Boolean; nil for other values.
    public var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// The elements of an array; nil for other values.
    public var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

extension JSONValue: Decodable {
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    /// Decodes any JSON value.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            let keys = container.allKeys.sorted { $0.stringValue < $1.stringValue }
            self = .object(
                try keys.map { (key: $0.stringValue, value: try container.decode(JSONValue.self, forKey: $0)) })
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            self = try Self.scalar(decoder.singleValueContainer())
        }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> JSONValue {
        if container.decodeNil() { return .null }
        if let flag = try? container.decode(Bool.self) { return .bool(flag) }
        if let value = try? container.decode(Int64.self) { return .integer(value) }
        if let value = try? container.decode(UInt64.self) { return .unsigned(value) }
        if let number = try? container.decode(Double.self) { return .number(number) }
        return .string(try container.decode(String.self))
    }
}

extension JSONValue: Equatable {
    /// True if both are equal. The order of an object's keys does not matter.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let first), .bool(let second)): first == second
        case (.string(let first), .string(let second)): first == second
        case (.number(let first), .number(let second)): first == second
        case (.array(let first), .array(let second)): first == second
        case (.object(let first), .object(let second)):
            first.count == second.count
                && zip(
                    first.sorted { $0.key < $1.key }, second.sorted { $0.key < $1.key }
                ).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: left.wide != nil && left.wide == right.wide
        }
    }

    private var wide: Int128? {
        switch self {
        case .integer(let value): Int128(value)
        case .unsigned(let value): Int128(value)
        default: nil
        }
    }
}
