/// The order of an integer's bytes in a payload. Most families use the machine's own; netfilter's use the network's.
public enum ByteOrder: Sendable {
    case host
    case network
}

/// Netlink pads messages, family headers and attributes to 4 bytes (NLMSG_ALIGN, NLA_ALIGN in linux/netlink.h).
@inlinable
package func netlinkAligned(_ length: Int) -> Int { (length &+ 3) & ~3 }
