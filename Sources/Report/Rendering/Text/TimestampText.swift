/// Returns a time in RFC 3339 format, in UTC with nine fractional digits.
///
/// - Parameter nanoseconds: the time since the Unix epoch; negative before it.
public func timestampText(_ nanoseconds: Int64) -> String {
    var bytes: [UInt8] = []
    bytes.appendTimestamp(nanoseconds)
    return String(decoding: bytes, as: UTF8.self)
}

/// Returns the time of day in UTC to a tenth of a second, such as "12:00:03.2 UTC", for messages.
///
/// - Parameter nanoseconds: the time since the Unix epoch.
package func clockText(_ nanoseconds: Int64) -> String {
    String(timestampText(nanoseconds).dropFirst(11).prefix(10)) + " UTC"
}

extension [UInt8] {
    /// Appends a time in RFC 3339 format, with nine fractional digits and Z. An Int64 ranges from the year 1677 to
    /// 2262, so years always have four digits.
    mutating func appendTimestamp(_ nanoseconds: Int64) {
        let (seconds, fraction) = floorDivide(nanoseconds, by: 1_000_000_000)
        let (days, rest) = floorDivide(seconds, by: 86_400)
        let date = civilDate(days: days)
        appendDecimal(UInt64(date.year), width: 4)
        append(UInt8(ascii: "-"))
        appendDecimal(UInt64(date.month), width: 2)
        append(UInt8(ascii: "-"))
        appendDecimal(UInt64(date.day), width: 2)
        append(UInt8(ascii: "T"))
        appendDecimal(UInt64(rest / 3600), width: 2)
        append(UInt8(ascii: ":"))
        appendDecimal(UInt64(rest / 60 % 60), width: 2)
        append(UInt8(ascii: ":"))
        appendDecimal(UInt64(rest % 60), width: 2)
        append(UInt8(ascii: "."))
        appendDecimal(UInt64(fraction), width: 9)
        append(UInt8(ascii: "Z"))
    }
}

/// Returns the quotient rounded down and a non-negative remainder.
private func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// Returns the Gregorian date of a day counted from 1970-01-01.
///
/// The computed year begins in March, so that the leap day is its last day and the lengths of its months repeat: five
/// months have 153 days. 400 years have 146,097 days.
private func civilDate(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // 0000-03-01 is 719,468 days before the epoch.
    let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
}
