import CLinux
import NetworkAddresses

/// The kernel's route for packets to one destination. Source: rtnetlink(7) RTM_GETROUTE.
public struct Route: Hashable, Sendable {
    /// The type of a route. Source: rtm_type in rtnetlink(7).
    public enum Kind: Hashable, Sendable {
        case unicast
        /// The destination is an address of this host.
        case local
        case broadcast
        case anycast
        case multicast
        /// Packets are discarded silently.
        case blackhole
        /// Packets are rejected: host unreachable.
        case unreachable
        /// Packets are rejected: administratively prohibited.
        case prohibit
        /// The lookup continues in the next table.
        case `throw`
        case other(UInt8)

        init(rawValue: UInt8) {
            switch Int(rawValue) {
            case Int(RTN_UNICAST): self = .unicast
            case Int(RTN_LOCAL): self = .local
            case Int(RTN_BROADCAST): self = .broadcast
            case Int(RTN_ANYCAST): self = .anycast
            case Int(RTN_MULTICAST): self = .multicast
            case Int(RTN_BLACKHOLE): self = .blackhole
            case Int(RTN_UNREACHABLE): self = .unreachable
            case Int(RTN_PROHIBIT): self = .prohibit
            case Int(RTN_THROW): self = .throw
            default: self = .other(rawValue)
            }
        }
    }

    public var kind: Kind
    /// The index of the outgoing interface; 0 if the kind has no outgoing interface.
    public var interfaceIndex: Int32
    /// The router; `nil` if the destination is on the link. It may be IPv6 for an IPv4 destination (RFC 8950).
    public var gateway: IPAddress?
    /// The source address that the kernel selects; `nil` if it selects no address.
    public var preferredSource: IPAddress?
    /// The route's MTU in bytes, or the discovered path MTU; `nil` if the interface's MTU applies.
    public var mtu: Int?

    public init(
        kind: Kind, interfaceIndex: Int32, gateway: IPAddress? = nil, preferredSource: IPAddress? = nil, mtu: Int? = nil
    ) {
        self.kind = kind
        self.interfaceIndex = interfaceIndex
        self.gateway = gateway
        self.preferredSource = preferredSource
        self.mtu = mtu
    }

    /// Decodes RTM_NEWROUTE; `nil` for other messages.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWROUTE) else { return nil }
        let header = try message.fixed(as: rtmsg.self)
        self.init(kind: Kind(rawValue: header.rtm_type), interfaceIndex: 0)
        var reader = message.attributes(after: rtmsg.self)
        while reader.next() {
            switch UInt32(reader.type) {
            case RTA_OIF.rawValue: interfaceIndex = reader.integer(as: Int32.self) ?? 0
            case RTA_GATEWAY.rawValue: gateway = reader.address()
            case RTA_VIA.rawValue: gateway = Self.via(&reader)
            case RTA_PREFSRC.rawValue: preferredSource = reader.address()
            case RTA_METRICS.rawValue:
                reader.nested { metrics in
                    while metrics.next() {
                        if metrics.type == UInt16(RTAX_MTU) { mtu = metrics.integer(as: UInt32.self).map(Int.init) }
                    }
                }
            default: break
            }
        }
        if let error = reader.error { throw error }
    }

    /// Reads struct rtvia: an address family and an address.
    private static func via(_ reader: inout AttributeReader) -> IPAddress? {
        let bytes = reader.payload.dropFirst(2)
        switch bytes.count {
        case 4: return .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: return .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default:
            reader.reject(.attributeSize(type: reader.type, bytes: reader.payload.count))
            return nil
        }
    }
}

extension NetlinkConnection {
    /// Looks up the kernel's route to `destination`, restricted to one interface if it is given.
    ///
    /// - Throws: ``NetlinkError`` with code ENETUNREACH or EHOSTUNREACH if there is no route, EACCES or EINVAL if an
    ///   IPv4 route prohibits or discards packets (for IPv6 such a route is returned with its kind).
    public func route(
        to destination: IPAddress, through interfaceIndex: Int32? = nil
    ) throws(NetlinkError) -> Route {
        // With an interface, IPv4 treats every destination without a route as on the link. Only the lookup in the
        // forwarding table (RTM_F_FIB_MATCH, 4.13) distinguishes that from a route, and only the ordinary lookup
        // selects a source and one of several next hops. Source: ip_route_output_key_hash_rcu in net/ipv4/route.c.
        if destination.isIPv4, interfaceIndex != nil {
            _ = try lookUp(destination, through: interfaceIndex, flags: UInt32(RTM_F_FIB_MATCH))
        }
        return try lookUp(destination, through: interfaceIndex, flags: 0)
    }

    private func lookUp(
        _ destination: IPAddress, through interfaceIndex: Int32?, flags: UInt32
    ) throws(NetlinkError) -> Route {
        var header = rtmsg()
        header.rtm_family = destination.family
        header.rtm_dst_len = UInt8(truncatingIfNeeded: destination.bitWidth)
        header.rtm_flags = flags
        var message = MessageWriter(type: UInt16(RTM_GETROUTE), fixed: header)
        message.attributes.put(UInt16(RTA_DST.rawValue), destination)
        if let interfaceIndex { message.attributes.put(UInt16(RTA_OIF.rawValue), interfaceIndex) }
        let operation: StaticString = "look up the route"
        let routes = try request(operation, message) { message throws(NetlinkFormatError) in try Route(message) }
        guard let route = routes.first else { throw NetlinkError(operation, .empty) }
        return route
    }
}
