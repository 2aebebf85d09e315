/// An EUI-48 hardware address (IEEE 802) as a number: the first octet on the wire is the most significant.
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
    /// The 48 bits of the address, right-aligned. The upper 16 bits are always zero.
    public let rawValue: UInt64

    /// Creates an address from the low 48 bits of `rawValue` and ignores the rest.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xFFFF_FFFF_FFFF
    }

    /// ff:ff:ff:ff:ff:ff, every station of the link.
    public static let broadcast = MACAddress(rawValue: 0xFFFF_FFFF_FFFF)
    /// 00:00:00:00:00:00, the address of the loopback interface and of an unresolved neighbour.
    public static let zero = MACAddress(rawValue: 0)

    /// True if the group bit, the lowest of the first octet, is set, as it also is in the broadcast address.
    public var isMulticast: Bool { rawValue & 0x0100_0000_0000 != 0 }

    /// Returns the octet at `index` in wire order, 0 to 5; 0 for an index out of range.
    public func octet(_ index: Int) -> UInt8 {
        guard (0..<6).contains(index) else { return 0 }
        return UInt8(truncatingIfNeeded: rawValue >> UInt64(8 * (5 - index)))
    }

    /// The address as EUI-64, with FF-FE between its two halves. Source: IEEE's guidelines for EUI-64, which PTP clock
    /// identities follow. RFC 4291 appendix A also inverts a bit.
    public var eui64: UInt64 { (rawValue >> 24) << 40 | 0xFF_FE00_0000 | rawValue & 0xFF_FFFF }

    /// The same as ``octet(_:)``.
    public subscript(index: Int) -> UInt8 { octet(index) }
}

extension MACAddress: LosslessStringConvertible {
    /// Parses six pairs of hexadecimal digits, separated by ':' throughout or by '-' throughout; nil for anything else.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        guard text.count == 17 else { return nil }
        let separator = text[2]
        guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "-") else { return nil }
        var value: UInt64 = 0
        for (position, byte) in text.enumerated() {
            if position % 3 == 2 {
                guard byte == separator else { return nil }
            } else {
                guard let digit = hexadecimalDigit(byte) else { return nil }
                value = value << 4 | UInt64(digit)
            }
        }
        self.init(rawValue: value)
    }

    /// Six lower-case pairs separated by ':'.
    public var description: String { addressText(writeText) }

    /// Passes the bytes of ``description`` to `write`, in their order, and allocates nothing.
    package func writeText(_ write: (UInt8) -> Void) {
        for index in 0..<6 {
            if index > 0 { write(UInt8(ascii: ":")) }
            write(hexadecimalCharacter(octet(index) >> 4))
            write(hexadecimalCharacter(octet(index)))
        }
    }
}

/// Returns the lower-case hexadecimal digit of the low four bits.
func hexadecimalCharacter(_ nibble: UInt8) -> UInt8 {
    let digit = nibble & 0xF
    return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
}

/// Returns the value of an ASCII hexadecimal digit of either case; nil for every other byte.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
