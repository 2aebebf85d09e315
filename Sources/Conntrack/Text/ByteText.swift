import Addresses

// Text that is written once for each flow of a table of hundreds of thousands: straight into a buffer that is used
// again, without a String in between.
extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends `value` in decimal.
    mutating func append(decimal value: UInt64) {
        guard let small = UInt32(exactly: value) else {
            append(decimal: value / 1_000_000_000)
            return append(UInt32(truncatingIfNeeded: value % 1_000_000_000), digits: 9)
        }
        var digits = 1
        var bound: UInt32 = 10
        while small >= bound {
            digits += 1
            if digits == 10 { break }
            bound *= 10
        }
        append(small, digits: digits)
    }

    /// Appends `value` in decimal.
    mutating func append(signed value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    /// Calls `body` for each set bit, lowest first, with the separator between two.
    mutating func forEachBit(
        of set: some FixedWidthInteger, separator: UInt8, _ body: (inout [UInt8], Int) -> Void
    ) {
        var rest = set
        while rest != 0 {
            body(&self, rest.trailingZeroBitCount)
            rest &= rest &- 1
            if rest != 0 { append(separator) }
        }
    }

    /// Appends exactly so many of the lowest decimal digits, zeros at the front included.
    mutating func append(_ value: UInt32, digits: Int) {
        var rest = value
        var text: UInt128 = 0
        for _ in 0..<digits {
            text = text << 8 | UInt128(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        Swift.withUnsafeBytes(of: text.littleEndian) { append(contentsOf: $0[..<digits]) }
    }

    /// Appends the address as ``IPAddress`` describes it.
    mutating func append(_ address: IPAddress) {
        switch address {
        case .v4(let value):
            append(decimal: UInt64(value >> 24))
            append(UInt8(ascii: "."))
            append(decimal: UInt64(value >> 16 & 0xFF))
            append(UInt8(ascii: "."))
            append(decimal: UInt64(value >> 8 & 0xFF))
            append(UInt8(ascii: "."))
            append(decimal: UInt64(value & 0xFF))
        case .v6(let value): append(version6: value)
        }
    }

    /// RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::", the
    /// tail of an IPv4-mapped address dotted.
    private mutating func append(version6 value: UInt128) {
        if value >> 32 == 0xFFFF {
            append("::ffff:")
            return append(.v4(UInt32(truncatingIfNeeded: value)))
        }
        let gap = longestZeroRun(value)
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { append(UInt8(ascii: ":")) }
            append(hexadecimal: group(index, of: value))
            index += 1
        }
    }

    /// Appends `value` without leading zeros, in lower case.
    mutating func append(hexadecimal value: UInt16) {
        var shift: UInt16 = value > 0xFFF ? 12 : value > 0xFF ? 8 : value > 0xF ? 4 : 0
        while true {
            let nibble = UInt8(truncatingIfNeeded: value >> shift & 0xF)
            append(nibble < 10 ? UInt8(ascii: "0") &+ nibble : UInt8(ascii: "a") &- 10 &+ nibble)
            if shift == 0 { return }
            shift -= 4
        }
    }
}

private func group(_ index: Int, of value: UInt128) -> UInt16 {
    UInt16(truncatingIfNeeded: value >> UInt128(16 * (7 - index)))
}

private func longestZeroRun(_ value: UInt128) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for index in 0...8 {
        if index < 8, group(index, of: value) == 0 { continue }
        if index - start > best.count { best = start..<index }
        start = index + 1
    }
    return best.count >= 2 ? best : 0..<0
}
