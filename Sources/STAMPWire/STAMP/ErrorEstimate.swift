/// The error bound and the format of a packet's timestamps: RFC 4656 section 4.1.2, with the Z bit of RFC 8186 section
/// 2.3.
public struct ErrorEstimate: Hashable, Sendable, BitwiseCopyable {
    /// From the most significant bit: S, Z, 6 bits of scale, 8 bits of multiplier.
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Encodes an error with the smallest scale at which it fits the multiplier, rounded up, so the estimate is never
    /// below `errorNanoseconds`. An error of zero or less becomes 2^-32 s, because a multiplier of 0 is not allowed.
    public init(synchronized: Bool, isPTP: Bool, errorNanoseconds: Int64) {
        let nanoseconds = UInt128(max(errorNanoseconds, 0).magnitude)
        var multiplier = max(1, (nanoseconds << 32 + 999_999_999) / 1_000_000_000)
        var scale: UInt16 = 0
        // Halving repeatedly with rounding up equals one division by the power of two, rounded up. Int64.max ends at
        // scale 58.
        while multiplier > 255 {
            multiplier = (multiplier + 1) >> 1
            scale += 1
        }
        rawValue =
            (synchronized ? 0x8000 : 0) | (isPTP ? 0x4000 : 0) | scale << 8
            | UInt16(truncatingIfNeeded: multiplier)
    }

    /// S: an external source synchronizes the clock to UTC.
    public var synchronized: Bool { rawValue & 0x8000 != 0 }
    /// Z: timestamps are ``PTPTimestamp`` instead of ``NTPTimestamp``.
    public var isPTP: Bool { rawValue & 0x4000 != 0 }
    /// The power of two, 0 to 63, whose unit is 2^-32 s.
    public var scale: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) & 0x3F }
    /// 1 to 255; 0 only in a corrupt packet (RFC 4656 section 4.1.2).
    public var multiplier: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

    /// multiplier * 2^(scale - 32) s in nanoseconds, rounded up, at most Int64.max; nil if the multiplier is 0.
    public var errorNanoseconds: Int64? {
        guard multiplier != 0 else { return nil }
        let product = UInt128(multiplier) << UInt128(scale) * 1_000_000_000
        return Int64(clamping: (product + 0xFFFF_FFFF) >> 32)
    }
}
