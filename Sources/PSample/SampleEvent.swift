import Netlink

/// A notification other than a sample.
public enum SampleEvent: Hashable, Sendable {
    /// The kernel created a group, because its first sampler was configured.
    case groupAdded(SampleGroup)
    /// The kernel removed a group, because its last sampler is gone.
    case groupRemoved(SampleGroup)
    /// The receive buffer was full. `lost` is the number of notifications of the selected groups that the socket has
    /// dropped since the last such event. Reception continues.
    case overrun(lost: UInt32)
    /// A message that cannot be decoded. Later messages are not affected.
    case malformed(NetlinkFormatError)
}
