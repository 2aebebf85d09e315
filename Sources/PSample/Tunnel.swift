import NetworkAddresses

/// The metadata of a sampled packet's tunnel. What is `nil` the kernel did not say; addresses, ports and TOS that are zero
/// it leaves out.
///
/// Source: PSAMPLE_TUNNEL_KEY_ATTR_* in linux/psample.h, __psample_ip_tun_to_nlattr() in net/psample/psample.c.
public struct Tunnel: Hashable, Sendable {
    /// What the bytes of the tunnel's options are.
    public enum OptionKind: String, Hashable, Sendable {
        case geneve
        case vxlan
        case erspan
    }

    /// The VNI, key or the like.
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
    /// An operations frame (of Geneve), not somebody's packet.
    public var isManagement = false
    /// IP_TUNNEL_INFO_BRIDGE: the packet is bridged.
    public var isBridged = false
    /// `nil`: there are no options. Their bytes are in ``ReceivedSample/withTunnelOptions(_:)``.
    public var options: OptionKind?

    /// A tunnel of which the kernel said nothing.
    public init() {}
}
