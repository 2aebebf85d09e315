import CLinux
import Glibc
import LinuxKernel
import Netlink
import NetworkAddresses

/// The kernel's table of tracked flows, of one network namespace, through a netlink socket of its own.
///
/// Everything here needs CAP_NET_ADMIN in that namespace: without it the kernel refuses with EPERM. Not for use by two
/// threads at once. Source: nf_conntrack_netlink.c of the kernel.
public final class ConntrackTable {
    /// How many flows a table holds.
    public struct Size: Hashable, Sendable {
        public var flows: UInt32
        /// The most that it takes: `net.netfilter.nf_conntrack_max`. `nil` before Linux 5.7.
        public var limit: UInt32?

        /// A size as the kernel would tell of it.
        public init(flows: UInt32, limit: UInt32? = nil) {
            self.flows = flows
            self.limit = limit
        }
    }

    /// The addresses of the flows to be told of.
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

    /// A table that a function plays.
    package init(connection: NetlinkConnection) { self.connection = connection }

    /// Calls `body` with every flow of the table, in the kernel's order.
    ///
    /// Memory does not grow with the table. The kernel walks a table that changes meanwhile: a flow may come twice, one
    /// that came or went is there or not.
    /// - Parameters:
    ///   - family: that of the flows' addresses; both unless given.
    ///   - startOver: called where the kernel says that a walk was inconsistent, before it begins anew: what `body` was
    ///     given until then is void.
    /// - Throws: ``NetlinkError``: EPERM without CAP_NET_ADMIN, a malformed message.
    public func dump(
        _ family: Family? = nil, startOver: () -> Void = {}, _ body: (borrowing Flow) -> Void
    ) throws(NetlinkError) {
        let request = Self.request(ConntrackMessage.get, family)
        try connection.dump("read the table of flows", request, startOver: startOver) {
            message throws(NetlinkFormatError) in
            if let flow = try Flow(message) { body(flow) }
        }
    }

    /// Has the kernel walk the table, and throws away what it tells: where something else, such as an eBPF program,
    /// watches it walk.
    ///
    /// - Returns: how many flows that were.
    public func discardDump(_ family: Family? = nil) throws(NetlinkError) -> Int {
        try connection.discardDump("walk the table of flows", Self.request(ConntrackMessage.get, family))
    }

    /// How many flows there are, and may be. Source: IPCTNL_MSG_CT_GET_STATS.
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
    /// Reads the answer to IPCTNL_MSG_CT_GET_STATS; `nil` for other messages.
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
