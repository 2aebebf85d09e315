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

    /// IFF_LOWER_UP of linux/if.h, which glibc's <net/if.h> lacks.
    private static let lowerUp: UInt32 = 1 << 16

    /// Decodes RTM_NEWLINK; `nil` for other messages.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWLINK) else { return nil }
        let header = try message.fixed(as: ifinfomsg.self)
        var reader = message.attributes(after: ifinfomsg.self)
        var name: String?
        while reader.next() {
            if reader.type == UInt16(IFLA_IFNAME) { name = reader.string() }
        }
        if let error = reader.error { throw error }
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
