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
/// - Returns: the position after the last digit.
func writeDecimal(_ value: UInt64, to out: inout MutableSpan<UInt8>, at position: Int) -> Int {
    if value < 10 {
        out[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)
        return position &+ 1
    }
    guard value >= 100_000_000 else {
        let digits = eightDigits(UInt32(truncatingIfNeeded: value))
        let zeros = (digits ^ 0x3030_3030_3030_3030).trailingZeroBitCount / 8
        store(digits >> UInt64(8 * zeros), to: &out, at: position)
        return position &+ 8 &- zeros
    }
    let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
    let end = writeDecimal(high, to: &out, at: position)
    store(eightDigits(UInt32(truncatingIfNeeded: low)), to: &out, at: end)
    return end &+ 8
}

/// Returns the digits of a number below 10^8 with leading zeros, the first digit in the lowest byte.
///
/// Halves, quarters and digits are each computed side by side in one word, since a division for each digit would
/// dominate the cost of a row.
@inline(__always)
func eightDigits(_ value: UInt32) -> UInt64 {
    let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
    let halves = UInt64(high) | UInt64(low) << 32
    // 10486 / 2^20 is a hundredth, rounded down correctly for all numbers below 10^4; 103 / 2^10 a tenth, below 100.
    let hundreds = (halves &* 10_486) >> 20 & 0x7F_0000_007F
    let quarters = hundreds | (halves &- hundreds &* 100) << 16
    let tens = (quarters &* 103) >> 10 & 0x000F_000F_000F_000F
    return (tens | (quarters &- tens &* 10) << 8) &+ 0x3030_3030_3030_3030
}

/// Writes the eight bytes of a word, the lowest first.
@inline(__always)
func store(_ word: UInt64, to out: inout MutableSpan<UInt8>, at position: Int) {
    var bytes = out.mutableBytes
    bytes.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
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
