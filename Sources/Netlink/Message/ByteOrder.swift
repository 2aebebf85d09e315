/// The byte order of integers in payloads. Most families use host byte order; netfilter's use network byte order.
public enum ByteOrder: Sendable {
    case host
    case network
}

/// Rounds up to 4 bytes, to which netlink pads messages, family headers and attributes (NLMSG_ALIGN and NLA_ALIGN in
/// linux/netlink.h).
@inlinable
package func netlinkAligned(_ length: Int) -> Int { (length &+ 3) & ~3 }
