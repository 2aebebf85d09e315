import CLinux
import NetworkAddresses

/// An address of an interface. Source: rtnetlink(7) RTM_GETADDR, linux/if_addr.h.
public struct InterfaceAddress: Hashable, Sendable {
    /// The scope in which the address is valid. Source: ifa_scope in rtnetlink(7).
    public enum Scope: Hashable, Sendable {
        case global
        case site
        case link
        case host
        case other(UInt8)

        init(rawValue: UInt8) {
            switch UInt32(rawValue) {
            case RT_SCOPE_UNIVERSE.rawValue: self = .global
            case RT_SCOPE_SITE.rawValue: self = .site
            case RT_SCOPE_LINK.rawValue: self = .link
            case RT_SCOPE_HOST.rawValue: self = .host
            default: self = .other(rawValue)
            }
        }
    }

    /// The kernel's IFA_F_* bits.
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A secondary address of its network (IPv4), or a temporary address (IPv6, RFC 8981).
        public static let secondary = Flags(rawValue: UInt32(IFA_F_SECONDARY))
        /// Not to be used for new communication (RFC 4862 section 5.5.4).
        public static let deprecated = Flags(rawValue: UInt32(IFA_F_DEPRECATED))
        /// Not yet usable as a source, because duplicate address detection is running (RFC 4862 section 5.4).
        public static let tentative = Flags(rawValue: UInt32(IFA_F_TENTATIVE))
        /// Duplicate address detection found the address in use by another host.
        public static let duplicate = Flags(rawValue: UInt32(IFA_F_DADFAILED))
        public static let permanent = Flags(rawValue: UInt32(IFA_F_PERMANENT))
    }

    public var address: IPAddress
    /// Length of the network prefix in bits, 0 to 32 or 0 to 128.
    public var prefixLength: Int
    public var scope: Scope
    public var flags: Flags
    public var interfaceIndex: Int32

    public var isTentative: Bool { flags.contains(.tentative) }
    public var isDeprecated: Bool { flags.contains(.deprecated) }

    /// Decodes RTM_NEWADDR and RTM_DELADDR; `nil` for other messages and address families.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(RTM_NEWADDR) || message.type == UInt16(RTM_DELADDR) else { return nil }
        let header = try message.fixed(as: ifaddrmsg.self)
        var reader = message.attributes(after: ifaddrmsg.self)
        var local: IPAddress?
        var prefix: IPAddress?
        var flags = UInt32(header.ifa_flags)
        while reader.next() {
            switch Int(reader.type) {
            case Int(IFA_LOCAL): local = reader.address()
            case Int(IFA_ADDRESS): prefix = reader.address()
            case Int(IFA_FLAGS): flags = reader.integer(as: UInt32.self) ?? flags
            default: break
            }
        }
        if let error = reader.error { throw error }
        // On a point-to-point link IFA_ADDRESS is the peer's address; on other links IPv6 sends only IFA_ADDRESS.
        guard let address = local ?? prefix, address.family == header.ifa_family else { return nil }
        self.address = address
        prefixLength = min(Int(header.ifa_prefixlen), address.bitWidth)
        scope = Scope(rawValue: header.ifa_scope)
        self.flags = Flags(rawValue: flags)
        interfaceIndex = Int32(bitPattern: header.ifa_index)
    }
}

extension NetlinkConnection {
    /// Lists the IPv4 and IPv6 addresses of one interface, in the kernel's order.
    public func addresses(on interfaceIndex: Int32) throws(NetlinkError) -> [InterfaceAddress] {
        var header = ifaddrmsg()
        header.ifa_index = UInt32(bitPattern: interfaceIndex)
        let message = MessageWriter(type: UInt16(RTM_GETADDR), fixed: header)
        return try dump("read the interface's addresses", message) { message throws(NetlinkFormatError) in
            // Kernels without strict checking list the addresses of all interfaces.
            guard let found = try InterfaceAddress(message), found.interfaceIndex == interfaceIndex else { return nil }
            return found
        }
    }
}
