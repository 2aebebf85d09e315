/// An IPv4 or IPv6 address as a number: its bytes on the wire in big-endian order.
///
/// It has no scope: the interface of a link-local address is a separate value.
public enum IPAddress: Hashable, Sendable, BitwiseCopyable {
    case v4(UInt32)
    case v6(UInt128)

    /// True for an IPv4 address; false for an IPv4-mapped IPv6 address (::ffff:a.b.c.d).
    public var isIPv4: Bool {
        switch self {
        case .v4: true
        case .v6: false
        }
    }

    /// The address length in bits: 32 or 128.
    public var bitWidth: Int { isIPv4 ? 32 : 128 }

    /// True in 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291 section 2.7).
    public var isMulticast: Bool {
        switch self {
        case .v4(let value): value >> 28 == 0xE
        case .v6(let value): value >> 120 == 0xFF
        }
    }

    /// True in 127.0.0.0/8 (RFC 1122 section 3.2.1.3) or for ::1 (RFC 4291 section 2.5.3).
    public var isLoopback: Bool {
        switch self {
        case .v4(let value): value >> 24 == 127
        case .v6(let value): value == 1
        }
    }

    /// True for 0.0.0.0 or ::, "no address yet".
    public var isUnspecified: Bool {
        switch self {
        case .v4(let value): value == 0
        case .v6(let value): value == 0
        }
    }

    /// True in 169.254.0.0/16 (RFC 3927) or the unicast prefix fe80::/10 (RFC 4291 section 2.5.6).
    public var isLinkLocal: Bool {
        switch self {
        case .v4(let value): value >> 16 == 0xA9FE
        case .v6(let value): value >> 118 == 0xFE80 >> 6
        }
    }
}
