/// The number of a protocol carried by IP. Source: IANA's Assigned Internet Protocol Numbers.
public struct TransportProtocol: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    /// Any of the 256 numbers.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let icmp = TransportProtocol(rawValue: 1)
    public static let tcp = TransportProtocol(rawValue: 6)
    public static let udp = TransportProtocol(rawValue: 17)
    public static let dccp = TransportProtocol(rawValue: 33)
    public static let gre = TransportProtocol(rawValue: 47)
    public static let icmpv6 = TransportProtocol(rawValue: 58)
    public static let sctp = TransportProtocol(rawValue: 132)
    public static let udpLite = TransportProtocol(rawValue: 136)
}

extension TransportProtocol: LosslessStringConvertible {
    private static let named: [TransportProtocol] = [.icmp, .tcp, .udp, .dccp, .gre, .icmpv6, .sctp, .udpLite]

    /// Parses a name as in ``description``, or a number from 0 to 255.
    public init?(_ description: String) {
        if let known = Self.named.first(where: { $0.description == description }) {
            self = known
        } else if let number = UInt8(description) {
            rawValue = number
        } else {
            return nil
        }
    }

    /// The name that conntrack(8) uses, or the number.
    public var description: String { name?.description ?? "\(rawValue)" }

    /// The name that conntrack(8) uses; `nil` for protocols that the kernel tracks only by address.
    var name: StaticString? {
        switch self {
        case .icmp: "icmp"
        case .tcp: "tcp"
        case .udp: "udp"
        case .dccp: "dccp"
        case .gre: "gre"
        case .icmpv6: "icmpv6"
        case .sctp: "sctp"
        case .udpLite: "udplite"
        default: nil
        }
    }
}
