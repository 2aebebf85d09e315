import CLinux
import Glibc

/// A generic netlink family: the identifier that the kernel assigned, and its multicast groups.
///
/// Source: Documentation/userspace-api/netlink/intro.rst, linux/genetlink.h.
public struct GenericFamily: Hashable, Sendable {
    /// The name, such as "psample" or "ethtool".
    public var name: String
    /// The message type of its requests, answers and notifications. It is assigned at each boot or module load.
    public var identifier: UInt16
    /// The family's version in the kernel.
    public var version: UInt32
    /// The multicast groups' numbers by name, for ``NetlinkConnection/join(group:)``.
    public var groups: [String: UInt32]

    /// A family with the given values.
    public init(name: String, identifier: UInt16, version: UInt32, groups: [String: UInt32]) {
        self.name = name
        self.identifier = identifier
        self.version = version
        self.groups = groups
    }

    /// Decodes CTRL_CMD_NEWFAMILY; `nil` for other messages.
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

    /// Reads an array of nested attributes, whose types are indices.
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
    /// Looks up a family by its name, on a NETLINK_GENERIC connection. Some kernels load the family's module for this.
    ///
    /// - Throws: ``NetlinkError`` with code ENOENT if the kernel has no family of that name.
    public func genericFamily(_ name: String) throws(NetlinkError) -> GenericFamily {
        let operation: StaticString = "look up the generic netlink family"
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
    /// Begins a message of a generic family.
    public init(_ family: GenericFamily, command: some BinaryInteger) {
        let header = genlmsghdr(
            cmd: UInt8(truncatingIfNeeded: command), version: UInt8(truncatingIfNeeded: family.version), reserved: 0)
        self.init(type: family.identifier, fixed: header)
    }
}
