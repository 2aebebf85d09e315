/// A 64-bit NTP timestamp (RFC 5905 section 6): seconds in an era of 2^32 s, and a binary fraction.
public struct NTPTimestamp: Hashable, Sendable {
    /// The upper 32 bits count seconds since 1900-01-01 modulo 2^32; the lower 32 bits are the fraction in 2^-32 s.
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Converts nanoseconds since the Unix epoch. The fraction is rounded up: it is finer than a nanosecond, so a
    /// reader that rounds down, as ``unixNanoseconds(near:)`` does, recovers the same nanosecond.
    public init(unixNanoseconds: Int64) {
        let (seconds, nanoseconds) = splitSeconds(unixNanoseconds)
        let fraction = (UInt64(nanoseconds) << 32 + 999_999_999) / 1_000_000_000
        rawValue = UInt64(UInt32(truncatingIfNeeded: seconds &+ Self.unixEpoch)) << 32 | fraction
    }

    /// Converts to nanoseconds since the Unix epoch, with the fraction rounded down. The era is the one that puts the
    /// seconds nearest to those of `pivot` (Unix nanoseconds, usually the receiver's clock); the era of 1900 ends on
    /// 2036-02-07. Saturates at the limits of Int64.
    public func unixNanoseconds(near pivot: Int64) -> Int64 {
        let seconds = UInt32(truncatingIfNeeded: rawValue >> 32) &- UInt32(truncatingIfNeeded: Self.unixEpoch)
        let nanoseconds = ((rawValue & 0xFFFF_FFFF) * 1_000_000_000) >> 32
        return joinSeconds(unfold(seconds, near: pivot), UInt32(truncatingIfNeeded: nanoseconds))
    }

    /// 1970-01-01 in seconds since 1900-01-01.
    private static let unixEpoch: Int64 = 2_208_988_800
}

/// The truncated PTPv2 timestamp that RFC 8186 section 2.1 puts into the same field: 32 bits of seconds, 32 bits of
/// nanoseconds.
///
/// The seconds count from the Unix epoch. The PTP timescale is ahead of UTC by the leap seconds. A peer that sends it
/// unconverted appears offset by them, and nothing in the packet distinguishes that from a wrong clock.
public struct PTPTimestamp: Hashable, Sendable {
    /// The upper 32 bits are seconds modulo 2^32; the lower 32 bits are nanoseconds.
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Converts nanoseconds since the Unix epoch without rounding.
    public init(unixNanoseconds: Int64) {
        let (seconds, nanoseconds) = splitSeconds(unixNanoseconds)
        rawValue = UInt64(UInt32(truncatingIfNeeded: seconds)) << 32 | UInt64(nanoseconds)
    }

    /// Converts to nanoseconds since the Unix epoch, in the 2^32 s that put the seconds nearest to those of `pivot`;
    /// nil if the nanoseconds field is 1,000,000,000 or more. Saturates at the limits of Int64.
    public func unixNanoseconds(near pivot: Int64) -> Int64? {
        let nanoseconds = UInt32(truncatingIfNeeded: rawValue)
        guard nanoseconds < 1_000_000_000 else { return nil }
        return joinSeconds(unfold(UInt32(truncatingIfNeeded: rawValue >> 32), near: pivot), nanoseconds)
    }
}

/// Encodes a timestamp field in the format that the Z bit of its error estimate selects (RFC 8186 section 2.3).
@inline(__always)
func encodeTimestamp(_ unixNanoseconds: Int64, isPTP: Bool) -> UInt64 {
    isPTP
        ? PTPTimestamp(unixNanoseconds: unixNanoseconds).rawValue
        : NTPTimestamp(unixNanoseconds: unixNanoseconds).rawValue
}

/// Decodes a field of ``encodeTimestamp(_:isPTP:)``; nil if it is invalid in that format.
@inline(__always)
func decodeTimestamp(_ rawValue: UInt64, isPTP: Bool, near pivot: Int64) -> Int64? {
    isPTP
        ? PTPTimestamp(rawValue: rawValue).unixNanoseconds(near: pivot)
        : NTPTimestamp(rawValue: rawValue).unixNanoseconds(near: pivot)
}

/// Splits into whole seconds, rounded down also before 1970, and 0 to 999,999,999 nanoseconds.
private func splitSeconds(_ unixNanoseconds: Int64) -> (seconds: Int64, nanoseconds: UInt32) {
    var (seconds, nanoseconds) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if nanoseconds < 0 {
        seconds -= 1
        nanoseconds += 1_000_000_000
    }
    return (seconds, UInt32(truncatingIfNeeded: nanoseconds))
}

private func joinSeconds(_ seconds: Int64, _ nanoseconds: UInt32) -> Int64 {
    let limit: Int64 = seconds < 0 ? .min : .max
    // Negative seconds move one second to the nanoseconds: the product alone can overflow where the sum does not.
    let borrow: Int64 = seconds < 0 ? 1 : 0
    let (product, tooLarge) = (seconds + borrow).multipliedReportingOverflow(by: 1_000_000_000)
    guard !tooLarge else { return limit }
    let (sum, outOfRange) = product.addingReportingOverflow(Int64(nanoseconds) - borrow * 1_000_000_000)
    return outOfRange ? limit : sum
}

/// Returns the Unix second that equals `seconds` modulo 2^32 and is at most 2^31 s from that of `pivot`.
private func unfold(_ seconds: UInt32, near pivot: Int64) -> Int64 {
    let pivotSeconds = splitSeconds(pivot).seconds
    let distance = Int32(bitPattern: seconds &- UInt32(truncatingIfNeeded: pivotSeconds))
    return pivotSeconds + Int64(distance)
}
