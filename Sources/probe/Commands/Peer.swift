import ArgumentParser
import NetworkAddresses
import Report
import STAMPWire

/// The peer of a run: an IP address or, without IP, a station on the same link.
enum Peer: Hashable, ExpressibleByArgument, CustomStringConvertible {
    case ip(IPAddress)
    case station(MACAddress)

    /// Parses an IP address or a MAC address. No text is both, since a MAC address has too few groups for IPv6.
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

    /// The IP address that identifies the peer within a session. For a station it is the link-local address derived
    /// from its MAC address, which is never shown.
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

    /// Returns the size of the largest packet that fits into the MTU with its headers, in bytes.
    func room(mtu: Int, shape: L2FrameShape) -> Int {
        switch self {
        case .ip(let address): mtu - (address.isIPv4 ? 28 : 48)
        case .station: shape.room(mtu: mtu)
        }
    }
}

extension CommonOptions {
    var shape: L2FrameShape { frame ?? .ordinary }

    /// Frame shape and VLAN for a run's description; `null` where they do not apply.
    var ethernetValues: [(String, JSONValue)] {
        [
            ("frame", transport == .l2 ? .string(shape.rawValue) : .null),
            ("vlan", vlan.map { .integer(Int64($0)) } ?? .null),
        ]
    }
}
