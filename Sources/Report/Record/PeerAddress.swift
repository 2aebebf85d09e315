import NetworkAddresses

/// The address of a peer: an IP address, or a MAC address without IP.
public enum PeerAddress: Sendable, Hashable, BitwiseCopyable, LosslessStringConvertible {
    /// An IPv4 or IPv6 address.
    case ip(IPAddress)
    /// A MAC address.
    case station(MACAddress)

    /// Parses an IP address or a MAC address; returns nil for other text. No text is both: a MAC address has too few
    /// groups for an IPv6 address.
    public init?(_ description: String) {
        if let address = IPAddress(description) {
            self = .ip(address)
        } else if let address = MACAddress(description) {
            self = .station(address)
        } else {
            return nil
        }
    }

    /// The address as text (RFC 5952 for IPv6).
    public var description: String {
        switch self {
        case .ip(let address): "\(address)"
        case .station(let address): "\(address)"
        }
    }

    /// Passes the bytes of ``description`` to `write`, in their order, and allocates nothing.
    func writeText(_ write: (UInt8) -> Void) {
        switch self {
        case .ip(let address): address.writeText(write)
        case .station(let address): address.writeText(write)
        }
    }
}
