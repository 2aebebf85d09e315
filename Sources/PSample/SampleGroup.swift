import CLinux
import Netlink

/// A group of samplers, as the kernel lists it. A property is `nil` if the kernel did not report it.
///
/// Source: psample_group_nl_fill() in net/psample/psample.c.
public struct SampleGroup: Hashable, Sendable {
    /// N in `action sample … group N` (tc-sample(8)).
    public var number: UInt32?
    /// Number of samplers that use the group.
    public var references: UInt32?
    /// The sequence number of the group's next sample.
    public var sequence: UInt32?

    /// A group with the given values.
    public init(number: UInt32?, references: UInt32? = nil, sequence: UInt32? = nil) {
        self.number = number
        self.references = references
        self.sequence = sequence
    }

    /// Decodes PSAMPLE_CMD_NEW_GROUP or PSAMPLE_CMD_DEL_GROUP.
    ///
    /// - Throws: ``NetlinkFormatError`` for the first attribute that is truncated or has the wrong size.
    public init(decoding message: NetlinkMessage) throws(NetlinkFormatError) {
        var reader = message.attributes(after: genlmsghdr.self)
        while reader.next() {
            switch Int(reader.type) {
            case PSAMPLE_ATTR_SAMPLE_GROUP: number = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_GROUP_REFCOUNT: references = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_GROUP_SEQ: sequence = reader.integer(as: UInt32.self)
            default: break
            }
        }
        if let error = reader.error { throw error }
    }
}
