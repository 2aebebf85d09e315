import CLinux
import Glibc
import LinuxKernel
import Netlink
import NetworkAddresses

/// The kernel's conntrack table of one network namespace, accessed through a netlink socket.
///
/// Every operation needs CAP_NET_ADMIN in that namespace and fails with EPERM without it. Not for concurrent use by two
/// threads. Source: nf_conntrack_netlink.c of the kernel.
public final class ConntrackTable {
    /// The number of flows in a table, and its limit.
    public struct Size: Hashable, Sendable {
        public var flows: UInt32
        /// The maximum number of flows, `net.netfilter.nf_conntrack_max`; `nil` before Linux 5.7.
        public var limit: UInt32?

        /// A size with the given values.
        public init(flows: UInt32, limit: UInt32? = nil) {
            self.flows = flows
            self.limit = limit
        }
    }

    /// The address family of the flows to list.
    public enum Family: Hashable, Sendable, CaseIterable {
        case ipv4
        case ipv6
    }

    let connection: NetlinkConnection

    /// Opens the table of the calling thread's network namespace, or of another one.
    ///
    /// - Parameter namespace: a name that `ip netns list` shows, or the path of a namespace's file such as
    ///   /proc/123/ns/net. Needs CAP_SYS_ADMIN.
    /// - Throws: ``SystemError`` if the socket can't be opened, or the namespace can't be entered.
    public init(namespace: String? = nil) throws(SystemError) {
        connection = try NetlinkConnection(protocol: NETLINK_NETFILTER, namespace: namespace)
    }

    /// Opens a table on a connection, which may be simulated.
    package init(connection: NetlinkConnection) { self.connection = connection }

    /// Calls `body` with every flow of the table, in the kernel's order.
    ///
    /// Memory use does not grow with the table. The table may change during the dump: a flow may be listed twice, and a
    /// flow that is created or destroyed meanwhile may be listed or not.
    /// - Parameters:
    ///   - family: the address family of the flows; both by default.
    ///   - startOver: called before a dump that the kernel marked as inconsistent is retried; the flows that `body` has
    ///     received until then are void.
    /// - Throws: ``NetlinkError`` with code EPERM without CAP_NET_ADMIN, or for a malformed message.
    public func dump(
        _ family: Family? = nil, startOver: () -> Void = {}, _ body: (borrowing Flow) -> Void
    ) throws(NetlinkError) {
        let request = Self.request(ConntrackMessage.get, family)
        try connection.dump("read the conntrack table", request, startOver: startOver) {
            message throws(NetlinkFormatError) in
            if let flow = try Flow(message) { body(flow) }
        }
    }

    /// Has the kernel walk the table and discards the flows, for example while an eBPF program observes the walk.
    ///
    /// - Returns: the number of flows.
    public func discardDump(_ family: Family? = nil) throws(NetlinkError) -> Int {
        try connection.discardDump("walk the conntrack table", Self.request(ConntrackMessage.get, family))
    }

    /// Reads the number of flows and the limit. Source: IPCTNL_MSG_CT_GET_STATS.
    public func size() throws(NetlinkError) -> Size {
        let operation: StaticString = "count the flows"
        let sizes = try connection.request(operation, Self.request(ConntrackMessage.statistics, nil)) {
            message throws(NetlinkFormatError) in try Size(message)
        }
        guard let size = sizes.first else { throw NetlinkError(operation, .empty) }
        return size
    }

    static func request(_ type: UInt16, _ family: Family?) -> MessageWriter {
        var header = nfgenmsg()
        header.nfgen_family =
            switch family {
            case .ipv4: UInt8(truncatingIfNeeded: AF_INET)
            case .ipv6: UInt8(truncatingIfNeeded: AF_INET6)
            case nil: 0
            }
        header.version = UInt8(NFNETLINK_V0)
        return MessageWriter(type: type, fixed: header)
    }
}

extension ConntrackTable.Size {
    /// Decodes the answer to IPCTNL_MSG_CT_GET_STATS; `nil` for other messages.
    fileprivate init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == ConntrackMessage.statistics else { return nil }
        _ = try message.fixed(as: nfgenmsg.self)
        var reader = message.attributes(after: nfgenmsg.self, order: .network)
        var (flows, limit): (UInt32?, UInt32?)
        while reader.next() {
            switch UInt32(reader.type) {
            case CTA_STATS_GLOBAL_ENTRIES.rawValue: flows = reader.integer(as: UInt32.self)
            case CTA_STATS_GLOBAL_MAX_ENTRIES.rawValue: limit = reader.integer(as: UInt32.self)
            default: break
            }
        }
        if let error = reader.error { throw error }
        guard let flows else { throw .missingAttribute(type: UInt16(CTA_STATS_GLOBAL_ENTRIES.rawValue)) }
        self.init(flows: flows, limit: limit)
    }
}
