/// An address prefix: an address whose bits after the prefix are zero, and the prefix length.
public struct IPNetwork: Hashable, Sendable {
    /// The lowest address of the network.
    public let address: IPAddress
    /// The number of bits that all addresses of the network share: 0 to 32 or 0 to 128.
    public let prefixLength: Int

    /// Creates a network; nil if the length does not fit the family or `address` has bits set after the prefix.
    /// "10.0.0.1/8" may mean one host or a network, and an allow-list must not guess.
    public init?(address: IPAddress, prefixLength: Int) {
        guard (0...address.bitWidth).contains(prefixLength),
            address == address.masked(toPrefix: prefixLength)
        else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Returns whether `other` is of the same family and has this prefix.
    public func contains(_ other: IPAddress) -> Bool {
        other.isIPv4 == address.isIPv4 && other.masked(toPrefix: prefixLength) == address
    }
}

extension IPNetwork: LosslessStringConvertible {
    /// Parses "10.0.0.0/8", "2001:db8::/32", or a bare address, which is the network of that address alone. A prefix
    /// length that does not fit, or bits set after the prefix, return nil.
    public init?(_ description: String) {
        guard let slash = description.firstIndex(of: "/") else {
            guard let address = IPAddress(description) else { return nil }
            self.init(address: address, prefixLength: address.bitWidth)
            return
        }
        let length = Array(description[description.index(after: slash)...].utf8)
        guard let address = IPAddress(String(description[..<slash])),
            let prefixLength = parseDecimal(length[...], upTo: address.bitWidth)
        else { return nil }
        self.init(address: address, prefixLength: prefixLength)
    }

    /// The address, a slash and the length, also for a single address.
    public var description: String { "\(address)/\(prefixLength)" }
}

extension IPAddress {
    /// Returns the address with all bits after the first `prefixLength` cleared.
    fileprivate func masked(toPrefix prefixLength: Int) -> IPAddress {
        // Swift's smart shifts give 0 for a shift by the whole width, as a prefix length of 0 needs.
        switch self {
        case .v4(let value): .v4(value & (UInt32.max << (32 - prefixLength)))
        case .v6(let value): .v6(value & (UInt128.max << (128 - prefixLength)))
        }
    }
}
