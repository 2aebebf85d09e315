import CLinux
import Glibc
import NetworkAddresses

/// The current state of an interface. Source: rtnetlink(7) RTM_GETLINK.
public struct Link: Hashable, Sendable {
    public var index: Int32
    public var name: String
    /// True if the interface is administratively up (IFF_UP).
    public var isUp: Bool
    /// True if the physical layer is up: the cable is connected and the other end is on (IFF_LOWER_UP).
    public var hasCarrier: Bool
    /// Largest payload of a frame in bytes; `nil` if the kernel does not report it.
    public var mtu: Int?
    /// The MAC address; `nil` if the link has other hardware addresses.
    public var macAddress: MACAddress?

    /// IFF_LOWER_UP of linux/if.h, which glibc's <net/if.h> lacks.
    private static let lowerUp: UInt32 = 1 << 16

    /// Decodes RTM_NEWLINK and RTM_DELLINK; `nil` for other messages, for a bridge's messages about its ports (the
    /// address family AF_BRIDGE), which report a port that leaves the bridge as deleted, and for events of a wireless
    /// driver.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWLINK) || message.type == UInt16(RTM_DELLINK) else { return nil }
        let header = try message.fixed(as: ifinfomsg.self)
        guard Int32(header.ifi_family) == AF_UNSPEC else { return nil }
        var reader = message.attributes(after: ifinfomsg.self)
        var name: String?
        var isWirelessEvent = false
        while reader.next() {
            switch Int(reader.type) {
            case Int(IFLA_IFNAME): name = reader.string()
            case Int(IFLA_MTU): mtu = reader.integer(as: UInt32.self).map(Int.init)
            case Int(IFLA_ADDRESS): macAddress = reader.macAddress()
            case Int(IFLA_WIRELESS): isWirelessEvent = true
            default: break
            }
        }
        if let error = reader.error { throw error }
        if name == nil, isWirelessEvent { return nil }
        guard let name else { throw .missingAttribute(type: UInt16(IFLA_IFNAME)) }
        self.name = name
        index = header.ifi_index
        isUp = header.ifi_flags & UInt32(IFF_UP) != 0
        hasCarrier = header.ifi_flags & Self.lowerUp != 0
    }
}

extension NetlinkConnection {
    /// Looks up the interface with that index in the connection's network namespace.
    ///
    /// - Throws: ``NetlinkError`` with code ENODEV if it does not exist.
    public func link(_ index: Int32) throws(NetlinkError) -> Link {
        var header = ifinfomsg()
        header.ifi_index = index
        let operation: StaticString = "look up the interface"
        let message = MessageWriter(type: UInt16(RTM_GETLINK), fixed: header)
        let links = try request(operation, message) { message throws(NetlinkFormatError) in try Link(message) }
        guard let link = links.first else { throw NetlinkError(operation, .empty) }
        return link
    }
}
