import CLinux

/// A change of a neighbour, an address, a link or a route, as the kernel reports it.
///
/// Source: rtnetlink(7).
public enum RouteChange: Hashable, Sendable {
    /// A neighbour table entry was added or changed.
    case neighbour(Neighbour)
    /// A neighbour table entry was removed. The value is its last state.
    case neighbourRemoved(Neighbour)
    /// An address was added to an interface, or its flags or lifetime changed.
    case address(InterfaceAddress)
    /// An address was removed from an interface.
    case addressRemoved(InterfaceAddress)
    /// An interface was added or changed.
    case link(Link)
    /// An interface was deleted, or moved to another network namespace. The value is its last state.
    case linkRemoved(Link)
    /// A route, a routing rule or a next-hop object was added, changed or removed: look routes up again.
    ///
    /// The kernel sends the notification of a removal before it removes the route, so a lookup at once may still find
    /// the route. Source: fib_table_delete in net/ipv4/fib_trie.c.
    case routes
    /// Notifications were lost or could not be decoded: every table may have changed.
    case everything

    /// Decodes a notification; `nil` for messages about other things.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        switch Int32(message.type) {
        case Int32(RTM_NEWNEIGH), Int32(RTM_DELNEIGH):
            guard let found = try Neighbour(message) else { return nil }
            self = message.type == UInt16(RTM_NEWNEIGH) ? .neighbour(found) : .neighbourRemoved(found)
        case Int32(RTM_NEWADDR), Int32(RTM_DELADDR):
            guard let found = try InterfaceAddress(message) else { return nil }
            self = message.type == UInt16(RTM_NEWADDR) ? .address(found) : .addressRemoved(found)
        case Int32(RTM_NEWLINK), Int32(RTM_DELLINK):
            guard let found = try Link(message) else { return nil }
            self = message.type == UInt16(RTM_NEWLINK) ? .link(found) : .linkRemoved(found)
        case Int32(RTM_NEWROUTE), Int32(RTM_DELROUTE), Int32(RTM_NEWRULE), Int32(RTM_DELRULE),
            Int32(RTM_NEWNEXTHOP), Int32(RTM_DELNEXTHOP), Int32(RTM_NEWNEXTHOPBUCKET), Int32(RTM_DELNEXTHOPBUCKET):
            self = .routes
        default: return nil
        }
    }
}
