import CLinux

/// Builds one request: message header, the family's fixed header, attributes.
///
/// Source: netlink(7), struct nlmsghdr in linux/netlink.h.
public struct MessageWriter {
    /// What is asked, in the family's numbers.
    public let type: UInt16
    /// NLM_F_*, to which a request adds its own.
    public var flags: UInt16
    /// What comes after the message header. Put attributes here.
    public var attributes: AttributeWriter

    /// - Parameter fixed: the family's header, such as `rtmsg`.
    public init<Fixed: BitwiseCopyable>(type: UInt16, flags: UInt16 = 0, fixed: Fixed) {
        self.init(type: type, flags: flags)
        attributes.appendFixed(fixed)
    }

    /// A message without a fixed header.
    public init(type: UInt16, flags: UInt16 = 0) {
        self.type = type
        self.flags = flags
        attributes = AttributeWriter(after: [UInt8](repeating: 0, count: NetlinkMessage.headerLength))
    }

    /// The bytes to send.
    ///
    /// - Throws: the first error of the attributes.
    public func finished(
        addingFlags more: UInt16 = 0, sequence: UInt32 = 0, portID: UInt32 = 0
    ) throws(NetlinkFormatError) -> [UInt8] {
        if let error = attributes.error { throw error }
        var writer = attributes
        let header = nlmsghdr(
            nlmsg_len: UInt32(truncatingIfNeeded: writer.bytes.count), nlmsg_type: type, nlmsg_flags: flags | more,
            nlmsg_seq: sequence, nlmsg_pid: portID)
        writer.patch(header, at: 0)
        return writer.bytes
    }
}
