import NetworkAddresses

/// A cursor that writes text to a buffer with space for a whole line (``FlowWriter/longestLine``).
///
/// It writes tables of hundreds of thousands of flows directly to a reused buffer, without a String and without a
/// bounds check per byte.
struct ByteText {
    /// The address of the next byte.
    var next: UnsafeMutablePointer<UInt8>

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        next.pointee = byte
        next += 1
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        next.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        next += text.utf8CodeUnitCount
    }

    /// Appends `value` in decimal.
    @inline(__always)
    mutating func append(decimal value: UInt64) {
        guard let small = UInt32(exactly: value) else { return append(large: value) }
        append(decimal: small)
    }

    mutating func append(decimal value: UInt32) {
        if value < 10 { return append(digit: value) }
        var digits = 2
        var bound: UInt32 = 100
        while value >= bound {
            digits += 1
            if digits == 10 { break }
            bound *= 10
        }
        append(value, digits: digits)
    }

    private mutating func append(large value: UInt64) {
        append(decimal: value / 1_000_000_000)
        append(UInt32(truncatingIfNeeded: value % 1_000_000_000), digits: 9)
    }

    /// Appends exactly `digits` of the lowest decimal digits, including leading zeros.
    mutating func append(_ value: UInt32, digits: Int) {
        var rest = value
        var place = digits
        while place > 0 {
            place -= 1
            next[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        next += digits
    }

    /// Appends `value` in decimal.
    mutating func append(signed value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    @inline(__always)
    private mutating func append(digit: UInt32) { append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)) }

    /// Calls `body` for each set bit, lowest first, and appends the separator between them.
    mutating func forEachBit(
        of set: some FixedWidthInteger, separator: UInt8, _ body: (inout ByteText, Int) -> Void
    ) {
        var rest = set
        while rest != 0 {
            body(&self, rest.trailingZeroBitCount)
            rest &= rest &- 1
            if rest != 0 { append(separator) }
        }
    }

    // MARK: - Addresses

    /// Appends the address in the format of ``IPAddress``'s description.
    mutating func append(_ address: IPAddress) {
        switch address {
        case .v4(let value): append(version4: value)
        case .v6(let value): append(version6: value)
        }
    }

    private mutating func append(version4 value: UInt32) {
        append(octet: value >> 24)
        append(UInt8(ascii: "."))
        append(octet: value >> 16 & 0xFF)
        append(UInt8(ascii: "."))
        append(octet: value >> 8 & 0xFF)
        append(UInt8(ascii: "."))
        append(octet: value & 0xFF)
    }

    @inline(__always)
    private mutating func append(octet: UInt32) {
        if octet >= 100 { append(digit: octet / 100) }
        if octet >= 10 { append(digit: octet / 10 % 10) }
        append(digit: octet % 10)
    }

    /// Appends an IPv6 address as in RFC 5952: lower case, no leading zeros, the first longest run of two or more zero
    /// groups as "::", and the IPv4 part of an IPv4-mapped address in dotted decimal.
    private mutating func append(version6 value: UInt128) {
        if value >> 32 == 0xFFFF {
            append("::ffff:")
            return append(version4: UInt32(truncatingIfNeeded: value))
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

    /// Appends `value` in lower-case hexadecimal without leading zeros.
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
