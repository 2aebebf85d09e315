extension [UInt8] {
    /// Appends `value` in decimal.
    mutating func appendDecimal(_ value: some FixedWidthInteger & SignedInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(magnitude: UInt64(truncatingIfNeeded: value.magnitude))
    }

    /// Appends `value` in decimal.
    mutating func appendDecimal(_ value: some FixedWidthInteger & UnsignedInteger) {
        appendDecimal(magnitude: UInt64(truncatingIfNeeded: value))
    }

    /// Appends exactly `width` digits: leading zeros, and the lowest digits if `value` has more.
    mutating func appendDecimal(_ value: UInt64, width: Int) {
        var divisor: UInt64 = 1
        for _ in 1..<Swift.max(width, 1) { divisor = divisor &* 10 }
        var rest = value
        for _ in 0..<width {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: (rest / divisor) % 10))
            rest %= divisor
            divisor /= 10
            if divisor == 0 { divisor = 1 }
        }
    }

    /// Appends 16 lower-case hexadecimal digits.
    mutating func appendHexadecimal(_ value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            append(hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15))
        }
    }

    /// Appends the text's UTF-8.
    mutating func append(text: String) {
        append(contentsOf: text.utf8)
    }

    private mutating func appendDecimal(magnitude: UInt64) {
        var length = 1
        var bound: UInt64 = 10
        while magnitude >= bound {
            length += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        appendDecimal(magnitude, width: length)
    }
}

/// The lower-case digit of the low four bits.
@inline(__always)
func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") &+ nibble : UInt8(ascii: "a") &- 10 &+ nibble
}

/// 16 lower-case hexadecimal digits, the form of a session id in every output.
public func sessionText(_ session: UInt64) -> String {
    var digits: [UInt8] = []
    digits.appendHexadecimal(session)
    return String(decoding: digits, as: UTF8.self)
}
