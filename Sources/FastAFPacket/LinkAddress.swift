import CLinux
import NetworkAddresses

/// A link-layer address with its interface and ethertype: sockaddr_ll in Swift. Source: packet(7).
public struct LinkAddress: Hashable, Sendable, CustomStringConvertible {
    public var macAddress: MACAddress
    public var interfaceIndex: Int32
    /// The frame's ethertype, in host byte order.
    public var etherType: UInt16
    /// The kind of destination the frame had; ignored in an address to send to.
    public var packetType: PacketType

    /// The kernel's PACKET_HOST … PACKET_OUTGOING.
    public enum PacketType: UInt8, Sendable {
        case host = 0, broadcast, multicast, otherHost, outgoing
    }

    public init(_ macAddress: MACAddress, interfaceIndex: Int32, etherType: UInt16, packetType: PacketType = .host) {
        self.macAddress = macAddress
        self.interfaceIndex = interfaceIndex
        self.etherType = etherType
        self.packetType = packetType
    }

    public var description: String { macAddress.description }

    /// The kernel's representation.
    package var raw: sockaddr_ll {
        var raw = sockaddr_ll()
        raw.sll_family = UInt16(AF_PACKET)
        raw.sll_protocol = etherType.bigEndian
        raw.sll_ifindex = interfaceIndex
        raw.sll_halen = 6
        withUnsafeMutableBytes(of: &raw.sll_addr) { bytes in
            for index in 0..<6 { bytes[index] = macAddress.octet(index) }
        }
        return raw
    }

    @inline(__always)
    package init(raw: sockaddr_ll) {
        let packetType = PacketType(rawValue: raw.sll_pkttype) ?? .otherHost
        var value = withUnsafeBytes(of: raw.sll_addr) { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) } &>> 16
        // Interfaces without Ethernet have shorter addresses or none; the bytes after the address are not part of it.
        if raw.sll_halen < 6 { value &= UInt64.max &<< UInt64(8 &* (6 &- raw.sll_halen)) }
        self.init(
            MACAddress(rawValue: value), interfaceIndex: raw.sll_ifindex,
            etherType: UInt16(bigEndian: raw.sll_protocol), packetType: packetType)
    }
}
