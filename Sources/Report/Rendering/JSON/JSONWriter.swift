/// Writes JSON (RFC 8259). It adds commas and escapes; the caller determines the order.
///
/// Keys and strings are UTF-8. Only the characters that RFC 8259 section 7 requires, and DEL, are escaped. The writer
/// does not check that arrays and objects are closed.
public struct JSONWriter: Sendable {
    /// The bytes written so far.
    public var bytes: [UInt8] = []
    private var needsComma = false
    private var isAfterKey = false
    /// True if values are on lines of their own, each level two spaces further in.
    private let isPretty: Bool
    private var level = 0

    /// Creates a writer without output.
    ///
    /// - Parameter pretty: True for people: every value has a line of its own.
    public init(pretty: Bool = false) { isPretty = pretty }

    /// Opens an object.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Closes an object.
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Opens an array.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Closes an array.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a key. Its value must follow.
    public mutating func key(_ name: String) {
        separate()
        bytes.appendJSON(string: name)
        bytes.append(text: isPretty ? ": " : ":")
        isAfterKey = true
    }

    /// Writes a string.
    public mutating func value(_ text: String) {
        separate()
        bytes.appendJSON(string: text)
    }

    /// Writes an integer, or null for nil.
    public mutating func value(_ integer: (some FixedWidthInteger & SignedInteger)?) {
        guard let integer else { return null() }
        separate()
        bytes.appendDecimal(integer)
    }

    /// Writes an integer, or null for nil.
    public mutating func value(_ integer: (some FixedWidthInteger & UnsignedInteger)?) {
        guard let integer else { return null() }
        separate()
        bytes.appendDecimal(integer)
    }

    /// Writes a number, or null if it is not finite: JSON has no infinities.
    public mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        bytes.append(text: number.description)
    }

    /// Writes true or false.
    public mutating func value(_ flag: Bool) {
        separate()
        bytes.append(text: flag ? "true" : "false")
    }

    /// Writes null.
    public mutating func null() {
        separate()
        bytes.append(text: "null")
    }

    /// Writes a string, or null for nil.
    public mutating func value(_ text: String?) {
        guard let text else { return null() }
        value(text)
    }

    private mutating func separate() {
        defer { needsComma = true }
        guard !isAfterKey else { return isAfterKey = false }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if level > 0 { breakLine() }
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
        level += 1
    }

    private mutating func close(_ byte: UInt8) {
        level -= 1
        if needsComma { breakLine() }
        bytes.append(byte)
        needsComma = true
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }
}

extension [UInt8] {
    /// Appends a quoted string (RFC 8259 section 7).
    mutating func appendJSON(string: String) {
        append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x08: append(text: "\\b")
            case 0x09: append(text: "\\t")
            case 0x0A: append(text: "\\n")
            case 0x0C: append(text: "\\f")
            case 0x0D: append(text: "\\r")
            case 0..<0x20, 0x7F:
                append(text: "\\u00")
                append(hexadecimalDigit(byte >> 4))
                append(hexadecimalDigit(byte & 15))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
}
