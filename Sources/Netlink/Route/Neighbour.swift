import CLinux
import Glibc
import NetworkAddresses

/// The state of a neighbour table entry. Source: ndm_state in rtnetlink(7).
public enum NeighbourState: Hashable, Sendable, CustomStringConvertible {
    case none
    /// Resolution is in progress.
    case incomplete
    /// Recently confirmed.
    case reachable
    /// Known; will be confirmed after the next use.
    case stale
    /// Used since it became stale; will be confirmed soon.
    case delay
    /// Being confirmed.
    case probe
    /// Resolution failed.
    case failed
    /// The link does not need resolution.
    case noARP
    /// Configured manually.
    case permanent
    case other(UInt16)

    init(rawValue: UInt16) {
        switch Int32(rawValue) {
        case NUD_NONE: self = .none
        case NUD_INCOMPLETE: self = .incomplete
        case NUD_REACHABLE: self = .reachable
        case NUD_STALE: self = .stale
        case NUD_DELAY: self = .delay
        case NUD_PROBE: self = .probe
        case NUD_FAILED: self = .failed
        case NUD_NOARP: self = .noARP
        case NUD_PERMANENT: self = .permanent
        default: self = .other(rawValue)
        }
    }

    /// True if the kernel sends to the known address in this state.
    public var isUsable: Bool {
        switch self {
        case .reachable, .stale, .delay, .probe, .noARP, .permanent: true
        case .none, .incomplete, .failed, .other: false
        }
    }

    /// The state as `ip neigh` prints it.
    public var description: String {
        switch self {
        case .none: "NONE"
        case .incomplete: "INCOMPLETE"
        case .reachable: "REACHABLE"
        case .stale: "STALE"
        case .delay: "DELAY"
        case .probe: "PROBE"
        case .failed: "FAILED"
        case .noARP: "NOARP"
        case .permanent: "PERMANENT"
        case .other(let value): "0x" + String(value, radix: 16)
        }
    }
}

/// An entry of the kernel's ARP or IPv6 neighbour table. Source: rtnetlink(7) RTM_GETNEIGH.
public struct Neighbour: Hashable, Sendable {
    public var address: IPAddress
    public var interfaceIndex: Int32
    /// The MAC address; `nil` if it is unknown or the link has other hardware addresses.
    public var macAddress: MACAddress?
    public var state: NeighbourState

    public init(address: IPAddress, interfaceIndex: Int32, macAddress: MACAddress?, state: NeighbourState) {
        self.address = address
        self.interfaceIndex = interfaceIndex
        self.macAddress = macAddress
        self.state = state
    }

    /// True if frames can be addressed to the neighbour.
    public var isUsable: Bool { macAddress != nil && state.isUsable }

    /// Decodes RTM_NEWNEIGH and RTM_DELNEIGH; `nil` for other messages, and for entries other than IP neighbours (a
    /// bridge's).
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWNEIGH) || message.type == UInt16(RTM_DELNEIGH) else { return nil }
        let header = try message.fixed(as: ndmsg.self)
        let family = Int32(header.ndm_family)
        guard family == AF_INET || family == AF_INET6 else { return nil }
        var reader = message.attributes(after: ndmsg.self)
        var address: IPAddress?
        var macAddress: MACAddress?
        while reader.next() {
            switch Int(reader.type) {
            case Int(NDA_DST): address = reader.address()
            case Int(NDA_LLADDR): macAddress = reader.macAddress()
            default: break
            }
        }
        if let error = reader.error { throw error }
        guard let address, address.family == header.ndm_family else { return nil }
        self.init(
            address: address, interfaceIndex: header.ndm_ifindex, macAddress: macAddress,
            state: NeighbourState(rawValue: header.ndm_state))
    }
}
