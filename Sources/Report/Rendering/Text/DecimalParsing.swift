/// Parses a whole field as a decimal integer with an optional minus sign; returns nil for other text, and for values
/// beyond the type.
func parseDecimal<Value: FixedWidthInteger>(_ field: ArraySlice<UInt8>) -> Value? {
    let negative = field.first == UInt8(ascii: "-")
    let digits = negative ? field.dropFirst() : field
    guard !digits.isEmpty, !negative || Value.isSigned else { return nil }
    var value: Value = 0
    for byte in digits {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        let digit = Value(byte &- UInt8(ascii: "0"))
        let (shifted, tooLarge) = value.multipliedReportingOverflow(by: 10)
        // Negative numbers are built downwards, since the lowest has no positive counterpart.
        let (next, overflow) =
            negative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
        if tooLarge || overflow { return nil }
        value = next
    }
    return value
}

/// Parses a session ID of 16 hexadecimal digits; returns nil for other text.
func parseSession(_ field: ArraySlice<UInt8>) -> UInt64? {
    guard field.count == 16 else { return nil }
    var value: UInt64 = 0
    for byte in field {
        guard let digit = hexadecimalValue(byte) else { return nil }
        value = value << 4 | UInt64(digit)
    }
    return value
}

/// Returns the value of a hexadecimal digit of either case.
private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Returns bytes of an untrusted file for output on a terminal: at most 32 characters of printable ASCII.
func quotable(_ bytes: ArraySlice<UInt8>) -> String {
    let shown = bytes.prefix(32).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: shown, as: UTF8.self) + (bytes.count > 32 ? "..." : "")
}
