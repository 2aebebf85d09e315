import ArgumentParser
import NetworkAddresses
import Report
import STAMPWire

/// Whom a run measures to: an IP address, or a station of the same link without IP.
enum Peer: Hashable, ExpressibleByArgument, CustomStringConvertible {
    case ip(IPAddress)
    case station(MACAddress)

    /// No text is both: a MAC address has too few groups for an IPv6 address.
    init?(argument: String) {
        if let address = IPAddress(argument) {
            self = .ip(address)
        } else if let address = MACAddress(argument) {
            self = .station(address)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .ip(let address): "\(address)"
        case .station(let address): "\(address)"
        }
    }

    /// What tells the peer from others in a session, whose addresses are IP's: a station has the link-local one that
    /// belongs to its MAC address. It is never shown.
    var address: IPAddress {
        switch self {
        case .ip(let address): address
        case .station(let address): .linkLocal(of: address)
        }
    }

    var station: MACAddress? {
        guard case .station(let address) = self else { return nil }
        return address
    }

    /// The largest packet that fits the MTU with its headers.
    func room(mtu: Int, shape: L2FrameShape) -> Int {
        switch self {
        case .ip(let address): mtu - (address.isIPv4 ? 28 : 48)
        case .station: shape.room(mtu: mtu)
        }
    }
}

extension CommonOptions {
    var shape: L2FrameShape { frame ?? .ordinary }

    /// As the description of a run has them; `null` where they have no meaning.
    var ethernetValues: [(String, JSONValue)] {
        [
            ("frame", transport == .l2 ? .string(shape.rawValue) : .null),
            ("vlan", vlan.map { .integer(Int64($0)) } ?? .null),
        ]
    }
}
