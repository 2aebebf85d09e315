/// How wrong the timestamps of a packet can be, and their format: RFC 4656 section 4.1.2, with the Z bit of RFC 8186
/// section 2.3.
public struct ErrorEstimate: Hashable, Sendable {
    /// S, Z, 6 bits of scale, 8 bits of multiplier, from the most significant bit on.
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Takes the smallest scale at which the error, rounded up, fits the multiplier, so the estimate never says less
    /// than `errorNanoseconds`. An error of zero or less becomes 2^-32 s: a multiplier of 0 is not allowed.
    public init(synchronized: Bool, isPTP: Bool, errorNanoseconds: Int64) {
        let nanoseconds = UInt128(max(errorNanoseconds, 0).magnitude)
        var multiplier = max(1, (nanoseconds << 32 + 999_999_999) / 1_000_000_000)
        var scale: UInt16 = 0
        // Halves rounded up one after the other are the whole divided by the power of two and rounded up. The
        // largest Int64 ends at scale 58.
        while multiplier > 255 {
            multiplier = (multiplier + 1) >> 1
            scale += 1
        }
        rawValue =
            (synchronized ? 0x8000 : 0) | (isPTP ? 0x4000 : 0) | scale << 8
            | UInt16(truncatingIfNeeded: multiplier)
    }

    /// S: the clock is synchronized to UTC by an external source.
    public var synchronized: Bool { rawValue & 0x8000 != 0 }
    /// Z: timestamps are ``PTPTimestamp`` instead of ``NTPTimestamp``.
    public var isPTP: Bool { rawValue & 0x4000 != 0 }
    /// The power of two, 0 to 63, whose unit is 2^-32 s.
    public var scale: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) & 0x3F }
    /// 1 to 255; 0 in a packet that is corrupt (RFC 4656 section 4.1.2).
    public var multiplier: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

    /// multiplier * 2^(scale - 32) s in nanoseconds, rounded up, at most Int64.max; nil when the multiplier is 0.
    public var errorNanoseconds: Int64? {
        guard multiplier != 0 else { return nil }
        let product = UInt128(multiplier) << UInt128(scale) * 1_000_000_000
        return Int64(clamping: (product + 0xFFFF_FFFF) >> 32)
    }
}
