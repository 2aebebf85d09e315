import Netlink

/// What a subscription hears besides samples.
public enum SampleEvent: Hashable, Sendable {
    /// The kernel has made a group: its first sampler was set up.
    case groupAdded(SampleGroup)
    /// The kernel has removed a group: its last sampler is gone.
    case groupRemoved(SampleGroup)
    /// The receive buffer was full: so many notifications of wanted groups were lost since the last such event, by the
    /// socket's own count. Samples go on.
    case overrun(lost: UInt32)
    /// A message that can't be read. The next ones can.
    case malformed(NetlinkFormatError)
}
