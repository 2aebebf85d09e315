import CLinux
import Glibc

/// A generic netlink family: what number the kernel gave it, and its multicast groups.
///
/// Source: Documentation/userspace-api/netlink/intro.rst, linux/genetlink.h.
public struct GenericFamily: Hashable, Sendable {
    /// "psample", "ethtool", …
    public var name: String
    /// The message type of its requests, answers and notifications; given anew at each boot or loading.
    public var identifier: UInt16
    /// The version that the kernel speaks.
    public var version: UInt32
    /// Numbers of its multicast groups by their names, for ``NetlinkConnection/join(group:)``.
    public var groups: [String: UInt32]

    /// A family as the kernel would tell of it.
    public init(name: String, identifier: UInt16, version: UInt32, groups: [String: UInt32]) {
        self.name = name
        self.identifier = identifier
        self.version = version
        self.groups = groups
    }

    /// Reads CTRL_CMD_NEWFAMILY; `nil` for other messages.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == UInt16(GENL_ID_CTRL),
            try message.fixed(as: genlmsghdr.self).cmd == UInt8(CTRL_CMD_NEWFAMILY)
        else { return nil }
        self.init(name: "", identifier: 0, version: 0, groups: [:])
        var reader = message.attributes(after: genlmsghdr.self)
        while reader.next() {
            switch Int(reader.type) {
            case CTRL_ATTR_FAMILY_ID: identifier = reader.integer(as: UInt16.self) ?? 0
            case CTRL_ATTR_FAMILY_NAME: name = reader.string()
            case CTRL_ATTR_VERSION: version = reader.integer(as: UInt32.self) ?? 0
            case CTRL_ATTR_MCAST_GROUPS: reader.nested { list in readGroups(&list) }
            default: break
            }
        }
        if let error = reader.error { throw error }
        if identifier == 0 { throw .missingAttribute(type: UInt16(CTRL_ATTR_FAMILY_ID)) }
    }

    /// An array of nested attributes, whose own types count up.
    private mutating func readGroups(_ list: inout AttributeReader) {
        while list.next() {
            var name: String?
            var number: UInt32?
            list.nested { group in
                while group.next() {
                    switch Int(group.type) {
                    case CTRL_ATTR_MCAST_GRP_NAME: name = group.string()
                    case CTRL_ATTR_MCAST_GRP_ID: number = group.integer(as: UInt32.self)
                    default: break
                    }
                }
            }
            if let name, let number { groups[name] = number }
        }
    }
}

extension NetlinkConnection {
    /// Looks a family up by its name, on a connection of NETLINK_GENERIC. Some kernels load the family's module then.
    ///
    /// - Throws: ``NetlinkError`` with ENOENT as its code where the kernel has none of that name.
    public func genericFamily(_ name: String) throws(NetlinkError) -> GenericFamily {
        let operation: StaticString = "look the generic netlink family up"
        var message = MessageWriter(
            type: UInt16(GENL_ID_CTRL), fixed: genlmsghdr(cmd: UInt8(CTRL_CMD_GETFAMILY), version: 2, reserved: 0))
        message.attributes.put(UInt16(CTRL_ATTR_FAMILY_NAME), name)
        let families = try request(operation, message) { message throws(NetlinkFormatError) in
            try GenericFamily(message)
        }
        guard let family = families.first(where: { $0.name == name }) else { throw NetlinkError(operation, .empty) }
        return family
    }
}

extension MessageWriter {
    /// A message of a generic family.
    public init(_ family: GenericFamily, command: some BinaryInteger) {
        let header = genlmsghdr(
            cmd: UInt8(truncatingIfNeeded: command), version: UInt8(truncatingIfNeeded: family.version), reserved: 0)
        self.init(type: family.identifier, fixed: header)
    }
}
