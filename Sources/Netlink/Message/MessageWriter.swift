import CLinux

/// Builds one request: message header, the family's fixed header, attributes.
///
/// Source: netlink(7), struct nlmsghdr in linux/netlink.h.
public struct MessageWriter {
    /// The message type, by its number in the family.
    public let type: UInt16
    /// NLM_F_* bits; sending a request adds more.
    public var flags: UInt16
    /// The family header and the attributes; append attributes here.
    public var attributes: AttributeWriter

    /// Begins a message with a family header.
    ///
    /// - Parameter fixed: the family's header, such as `rtmsg`.
    public init<Fixed: BitwiseCopyable>(type: UInt16, flags: UInt16 = 0, fixed: Fixed) {
        self.init(type: type, flags: flags)
        attributes.appendFixed(fixed)
    }

    /// Begins a message without a family header.
    public init(type: UInt16, flags: UInt16 = 0) {
        self.type = type
        self.flags = flags
        attributes = AttributeWriter(after: [UInt8](repeating: 0, count: NetlinkMessage.headerLength))
    }

    /// Completes the message header and returns the bytes to send.
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
