import CLinux
import Glibc
import NetworkAddresses

/// An interface as rtnetlink sees it now. Source: rtnetlink(7) RTM_GETLINK.
public struct Link: Hashable, Sendable {
    public var index: Int32
    public var name: String
    /// Switched on by the administrator (IFF_UP).
    public var isUp: Bool
    /// Whether the lower layer works: cable in, other end on (IFF_LOWER_UP).
    public var hasCarrier: Bool

    /// IFF_LOWER_UP of linux/if.h, which glibc's <net/if.h> leaves out.
    private static let lowerUp: UInt32 = 1 << 16

    /// Reads RTM_NEWLINK; `nil` for other messages.
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
    /// The interface of that index in the connection's network namespace.
    ///
    /// - Throws: ``NetlinkError`` with ENODEV as its code where there is none.
    public func link(_ index: Int32) throws(NetlinkError) -> Link {
        var header = ifinfomsg()
        header.ifi_index = index
        let operation: StaticString = "look the interface up"
        let message = MessageWriter(type: UInt16(RTM_GETLINK), fixed: header)
        let links = try request(operation, message) { message throws(NetlinkFormatError) in try Link(message) }
        guard let link = links.first else { throw NetlinkError(operation, .empty) }
        return link
    }
}
