import NetworkAddresses

/// The metadata of a sampled packet's tunnel. A property is `nil` if the kernel did not report it; the kernel omits
/// addresses, ports and TOS that are zero.
///
/// Source: PSAMPLE_TUNNEL_KEY_ATTR_* in linux/psample.h, __psample_ip_tun_to_nlattr() in net/psample/psample.c.
public struct Tunnel: Hashable, Sendable {
    /// The format of the tunnel's options.
    public enum OptionKind: String, Hashable, Sendable {
        case geneve
        case vxlan
        case erspan
    }

    /// The tunnel's identifier, such as a VNI or key.
    public var identifier: UInt64?
    public var source: IPAddress?
    public var destination: IPAddress?
    public var trafficClass: UInt8?
    /// TTL or hop limit of the outer header.
    public var hopLimit: UInt8?
    public var sourcePort: UInt16?
    public var destinationPort: UInt16?
    public var forbidsFragments = false
    public var hasChecksum = false
    /// True for an OAM frame of Geneve, which carries no user's packet.
    public var isManagement = false
    /// True if the packet is bridged (IP_TUNNEL_INFO_BRIDGE).
    public var isBridged = false
    /// The kind of options; `nil` if there are none. ``ReceivedSample/withTunnelOptions(_:)`` gives their bytes.
    public var options: OptionKind?

    /// A tunnel without metadata.
    public init() {}
}
