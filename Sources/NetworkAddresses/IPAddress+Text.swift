extension IPAddress: LosslessStringConvertible {
    /// Parses a dotted quad without leading zeros (which some parsers read as octal, others as decimal), or an IPv6
    /// address in any form of RFC 4291 section 2.2. Zone identifiers, ports, brackets and blanks return nil.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        if text.contains(UInt8(ascii: ":")) {
            guard let value = parseIPv6(text[...]) else { return nil }
            self = .v6(value)
        } else {
            guard let value = parseIPv4(text[...]) else { return nil }
            self = .v4(value)
        }
    }

    /// The dotted quad, or the canonical form of RFC 5952: lower case, no leading zeros, "::" for the first of the
    /// longest runs of two or more zero groups, and a dotted tail for IPv4-mapped addresses (section 5).
    public var description: String { addressText(writeText) }

    /// Passes the bytes of ``description`` to `write`, in their order, and allocates nothing.
    package func writeText(_ write: (UInt8) -> Void) {
        switch self {
        case .v4(let value): writeDottedQuad(value, write)
        case .v6(let value): writeCanonicalIPv6(value, write)
        }
    }
}

/// Returns the text that a function writes byte by byte.
func addressText(_ writeText: ((UInt8) -> Void) -> Void) -> String {
    var bytes: [UInt8] = []
    writeText { bytes.append($0) }
    return String(decoding: bytes, as: UTF8.self)
}

private func writeDottedQuad(_ value: UInt32, _ write: (UInt8) -> Void) {
    for shift in stride(from: 24 as UInt32, through: 0, by: -8) {
        if shift < 24 { write(UInt8(ascii: ".")) }
        let octet = UInt8(truncatingIfNeeded: value >> shift)
        if octet >= 100 { write(UInt8(ascii: "0") + octet / 100) }
        if octet >= 10 { write(UInt8(ascii: "0") + octet / 10 % 10) }
        write(UInt8(ascii: "0") + octet % 10)
    }
}

private func writeCanonicalIPv6(_ value: UInt128, _ write: (UInt8) -> Void) {
    if value >> 32 == 0xFFFF {
        for byte in "::ffff:".utf8 { write(byte) }
        return writeDottedQuad(UInt32(truncatingIfNeeded: value), write)
    }
    let gap = longestZeroRun(value)
    var index = 0
    while index < 8 {
        if index == gap.lowerBound, !gap.isEmpty {
            write(UInt8(ascii: ":"))
            write(UInt8(ascii: ":"))
            index = gap.upperBound
            continue
        }
        if index > 0, index != gap.upperBound { write(UInt8(ascii: ":")) }
        let group = group(index, of: value)
        for shift in stride(from: 12 as UInt16, through: 0, by: -4) where shift == 0 || group >> shift > 0 {
            write(hexadecimalCharacter(UInt8(truncatingIfNeeded: group >> shift)))
        }
        index += 1
    }
}

/// Returns a group of an IPv6 address, 0 to 7.
private func group(_ index: Int, of value: UInt128) -> UInt16 {
    UInt16(truncatingIfNeeded: value >> UInt128(16 * (7 - index)))
}

/// Returns the first of the longest runs of zero groups, if it has two or more (RFC 5952 section 4.2); else an empty
/// range.
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

private func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
        guard let octet = parseDecimal(part, upTo: 255) else { return nil }
        value = value << 8 | UInt32(octet)
    }
    return value
}

/// Parses one to three decimal digits without a leading zero, at most `limit`.
func parseDecimal(_ text: ArraySlice<UInt8>, upTo limit: Int) -> Int? {
    guard (1...3).contains(text.count), text.count == 1 || text.first != UInt8(ascii: "0") else { return nil }
    var value = 0
    for byte in text {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value <= limit ? value : nil
}

private func parseIPv6(_ text: ArraySlice<UInt8>) -> UInt128? {
    let colon = UInt8(ascii: ":")
    var gap: Int?
    var cut = text.startIndex
    while cut + 1 < text.endIndex {
        if text[cut] == colon, text[cut + 1] == colon {
            gap = cut
            break
        }
        cut += 1
    }
    guard let gap else {
        guard let groups = parseGroups(text, mayEndInIPv4: true), groups.count == 8 else { return nil }
        return joined(groups)
    }
    let before = text[..<gap]
    let after = text[(gap + 2)...]
    guard let head = before.isEmpty ? [] : parseGroups(before, mayEndInIPv4: false),
        let tail = after.isEmpty ? [] : parseGroups(after, mayEndInIPv4: true),
        // "::" stands for at least one group (RFC 4291 section 2.2).
        head.count + tail.count < 8
    else { return nil }
    return joined(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
}

private func joined(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(0) { $0 << 16 | UInt128($1) }
}

/// Parses groups of one to four hexadecimal digits between single colons. The last may be a dotted quad, worth two
/// groups.
private func parseGroups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count <= 8 else { return nil }
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
        if mayEndInIPv4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
            guard let value = parseIPv4(part) else { return nil }
            groups.append(UInt16(truncatingIfNeeded: value >> 16))
            groups.append(UInt16(truncatingIfNeeded: value))
            continue
        }
        guard (1...4).contains(part.count) else { return nil }
        var value: UInt16 = 0
        for byte in part {
            guard let digit = hexadecimalDigit(byte) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        groups.append(value)
    }
    return groups
}
