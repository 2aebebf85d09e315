import CLinux
import Netlink

/// A group of samplers, as the kernel lists it. What is `nil` it did not say.
///
/// Source: psample_group_nl_fill() in net/psample/psample.c.
public struct SampleGroup: Hashable, Sendable {
    /// What `action sample … group N` names (tc-sample(8)).
    public var number: UInt32?
    /// How many samplers use it.
    public var references: UInt32?
    /// The number that its next sample gets.
    public var sequence: UInt32?

    /// A group as the kernel would tell of it.
    public init(number: UInt32?, references: UInt32? = nil, sequence: UInt32? = nil) {
        self.number = number
        self.references = references
        self.sequence = sequence
    }

    /// Reads PSAMPLE_CMD_NEW_GROUP or _DEL_GROUP.
    ///
    /// - Throws: the first attribute that is cut or has another size than its value.
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
