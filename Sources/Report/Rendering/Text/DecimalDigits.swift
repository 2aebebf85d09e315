extension [UInt8] {
    /// Appends a signed integer in decimal.
    mutating func appendDecimal(_ value: some FixedWidthInteger & SignedInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(magnitude: UInt64(truncatingIfNeeded: value.magnitude))
    }

    /// Appends an unsigned integer in decimal.
    mutating func appendDecimal(_ value: some FixedWidthInteger & UnsignedInteger) {
        appendDecimal(magnitude: UInt64(truncatingIfNeeded: value))
    }

    /// Appends exactly `width` digits: with leading zeros, or only the lowest digits if `value` has more.
    mutating func appendDecimal(_ value: UInt64, width: Int) {
        let start = count
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: width))
        var rest = value
        for index in stride(from: count - 1, through: start, by: -1) {
            self[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
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
        let start = count
        append(contentsOf: repeatElement(0, count: 20))
        var span = mutableSpan
        let end = writeDecimal(magnitude, to: &span, at: start)
        removeLast(start + 20 - end)
    }
}

/// Writes `value` in decimal at a position with enough space: 20 bytes for any value.
///
/// Digits are written from the last to the first, two per division, since the dependent divisions dominate the cost.
///
/// - Returns: the position after the last digit.
func writeDecimal(_ value: UInt64, to out: inout MutableSpan<UInt8>, at position: Int) -> Int {
    // Current times have 19 digits.
    var length = value >= 1_000_000_000_000_000_000 ? 19 : 1
    var bound: UInt64 = length == 19 ? 10_000_000_000_000_000_000 : 10
    while length < 20, value >= bound {
        length &+= 1
        bound = length < 20 ? bound &* 10 : bound
    }
    var rest = value
    let end = position &+ length
    var index = end
    while rest >= 100 {
        let quotient = rest / 100
        let pair = UInt32(truncatingIfNeeded: rest &- quotient &* 100)
        // 103/1024 is a tenth, rounded down correctly for all two-digit numbers.
        let tens = (pair &* 103) >> 10
        index &-= 2
        out[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
        out[index &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
        rest = quotient
    }
    let last = UInt8(truncatingIfNeeded: rest)
    out[index &- 1] = UInt8(ascii: "0") &+ last % 10
    if last >= 10 { out[index &- 2] = UInt8(ascii: "0") &+ last / 10 }
    return end
}

/// Returns the lower-case hexadecimal digit of the low four bits.
@inline(__always)
func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") &+ nibble : UInt8(ascii: "a") &- 10 &+ nibble
}

/// Returns a session ID as in every output: 16 lower-case hexadecimal digits.
public func sessionText(_ session: UInt64) -> String {
    var digits: [UInt8] = []
    digits.appendHexadecimal(session)
    return String(decoding: digits, as: UTF8.self)
}
