/// Returns a duration with four significant digits in the unit that fits, such as "12.35 us", for tables. It has at
/// most ten characters.
package func roundedDurationText(_ nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    if value < 1000 { return "\(sign)\(value) ns" }
    // Use the first step in which the rounded value has at most four digits.
    let steps: [(divisor: UInt64, decimals: Int, unit: String)] = [
        (1, 3, "us"), (10, 2, "us"), (100, 1, "us"), (1000, 3, "ms"), (10_000, 2, "ms"), (100_000, 1, "ms"),
        (1_000_000, 3, "s"), (10_000_000, 2, "s"), (100_000_000, 1, "s"),
    ]
    for step in steps {
        let digits = roundedQuotient(value, step.divisor)
        if digits < 10_000 { return sign + fixedPointText(digits, decimals: step.decimals) + " " + step.unit }
    }
    let seconds = roundedQuotient(value, 1_000_000_000)
    if seconds < 100_000 { return "\(sign)\(seconds) s" }
    // Offsets between unrelated clocks can be days or decades.
    var exponent = 5
    var divisor: UInt64 = 100_000_000_000
    while roundedQuotient(value, divisor) >= 10_000 {
        divisor *= 10
        exponent += 1
    }
    return sign + fixedPointText(roundedQuotient(value, divisor), decimals: 3) + "e\(exponent) s"
}

/// Returns a duration with three significant digits in the unit that fits, such as "12.3us", for tables with many
/// columns. It has at most six characters up to 9999 s.
func shortDurationText(_ nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    if value < 1000 { return "\(sign)\(value)ns" }
    var divisor: UInt64 = 10
    for unit in ["us", "ms", "s"] {
        for decimals in [2, 1, 0] {
            let digits = roundedQuotient(value, divisor)
            if digits < 1000 { return sign + fixedPointText(digits, decimals: decimals) + unit }
            divisor *= 10
        }
    }
    return "\(sign)\(roundedQuotient(value, 1_000_000_000))s"
}

/// Returns a duration to the nanosecond in the unit that fits, such as "12.345us" or "-1.000000001s", for packets'
/// lines.
package func exactDurationText(_ nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    switch value {
    case 0..<1000: return "\(sign)\(value)ns"
    case 1000..<1_000_000: return sign + fixedPointText(value, decimals: 3) + "us"
    case 1_000_000..<1_000_000_000: return sign + fixedPointText(value, decimals: 6) + "ms"
    default: return sign + fixedPointText(value, decimals: 9) + "s"
    }
}

/// Returns the quotient rounded to the nearest integer, halves up.
private func roundedQuotient(_ value: UInt64, _ divisor: UInt64) -> UInt64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder >= divisor - remainder ? quotient + 1 : quotient
}

/// Returns an integer with a decimal point before its last `decimals` digits.
func fixedPointText(_ value: UInt64, decimals: Int) -> String {
    let digits = String(value)
    if decimals == 0 { return digits }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

extension String {
    /// Returns the text padded on the left with spaces to `width` characters.
    func leftPadded(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - utf8.count)) + self }
    /// Returns the text padded on the right with spaces to `width` characters.
    func rightPadded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - utf8.count)) }
}
