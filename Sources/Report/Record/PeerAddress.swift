import NetworkAddresses

/// The other end of a session: an IP address, or without IP a station of the link.
public enum PeerAddress: Sendable, Hashable, BitwiseCopyable, LosslessStringConvertible {
    /// An IPv4 or IPv6 address.
    case ip(IPAddress)
    /// A MAC address.
    case station(MACAddress)

    /// Reads an IP address or a MAC address; anything else gives nil. No text is both: a MAC address has too few groups
    /// for an IPv6 address.
    public init?(_ description: String) {
        if let address = IPAddress(description) {
            self = .ip(address)
        } else if let address = MACAddress(description) {
            self = .station(address)
        } else {
            return nil
        }
    }

    /// The address as text, as its type writes it (RFC 5952 for IPv6).
    public var description: String {
        switch self {
        case .ip(let address): "\(address)"
        case .station(let address): "\(address)"
        }
    }
}
