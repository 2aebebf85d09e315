import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// The metadata of one received packet.
public struct ReceivedPacket: Sendable {
    /// The packet's length on the wire, in bytes; greater than the number of bytes received if it is truncated.
    public var length = 0
    /// True if the caller's buffer was too short for the packet.
    public var isTruncated = false
    public var stamps = SocketTimestamps()
    /// The sender's link-layer address; `nil` on a UDP connection.
    public var link: LinkAddress?
    /// The 802.1Q tag that the kernel removed from the frame: priority, drop-eligible bit and identifier. Available
    /// only on a connection for all ethertypes (3): for others the kernel has already dropped the tag, and a frame for
    /// a VLAN that this host does not have shows only as ``LinkAddress/PacketType/otherHost``. Source:
    /// __netif_receive_skb_core() in net/core/dev.c.
    public var vlanTag: UInt16?
    /// True if the sender on this host left the checksum to the NIC, so that the packet does not contain it yet.
    public var isChecksumPending = false
    /// The sender's address, on a UDP connection.
    public var source: SocketAddress?
    /// The local address that the packet was sent to, on a UDP connection.
    public var localAddress: IPAddress?
    /// TTL or hop limit, and traffic class (DSCP and ECN), on a UDP connection.
    public var hopLimit: UInt8?
    public var trafficClass: UInt8?

    @inlinable
    public init() {}

    init(_ storage: borrowing MessageStorage, _ index: Int) { read(storage, index) }

    /// Reads a received message's header and all its control messages, in any order, into a new value.
    ///
    /// In place, because copying a packet's metadata costs more than reading it.
    @usableFromInline
    mutating func read(_ storage: borrowing MessageStorage, _ index: Int) {
        let header = storage.headers + index
        length = Int(header.pointee.msg_len)
        isTruncated = header.pointee.msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0
        let nameLength = Int(header.pointee.msg_hdr.msg_namelen)
        if nameLength >= MemoryLayout<sa_family_t>.size {
            let name = UnsafeRawPointer(storage.name(index))
            if name.load(as: sa_family_t.self) == sa_family_t(AF_PACKET) {
                // The kernel reports sockaddr_ll only as long as its address; the bytes after it are the buffer's
                // zeros.
                link = LinkAddress(raw: name.loadUnaligned(as: sockaddr_ll.self))
            } else {
                source = SocketAddress(loading: name, length: nameLength)
            }
        }
        for message in storage.receivedControl(index) { read(message) }
    }

    @inline(__always)
    private mutating func read(_ message: ControlMessages.Message) {
        // Level before type: a packet socket's messages are found by the fewest comparisons.
        switch message.level {
        case SOL_SOCKET:
            if let found = SocketTimestamps(message) { stamps = found }
        case CL_SOL_PACKET where message.type == PACKET_AUXDATA:
            guard let data = message.load(as: tpacket_auxdata.self) else { return }
            if data.tp_status & UInt32(TP_STATUS_VLAN_VALID) != 0 { vlanTag = data.tp_vlan_tci }
            isChecksumPending = data.tp_status & UInt32(TP_STATUS_CSUMNOTREADY) != 0
        case Int32(IPPROTO_IP), Int32(IPPROTO_IPV6):
            readInternet(message)
        default:
            break
        }
    }

    /// Reads a control message of a UDP connection.
    private mutating func readInternet(_ message: ControlMessages.Message) {
        switch (message.level, message.type) {
        case (Int32(IPPROTO_IP), IP_TTL), (Int32(IPPROTO_IPV6), IPV6_HOPLIMIT):
            hopLimit = message.load(as: Int32.self).map { UInt8(truncatingIfNeeded: $0) }
        case (Int32(IPPROTO_IP), IP_TOS):
            trafficClass = message.load(as: UInt8.self)
        case (Int32(IPPROTO_IPV6), IPV6_TCLASS):
            trafficClass = message.load(as: Int32.self).map { UInt8(truncatingIfNeeded: $0) }
        case (Int32(IPPROTO_IP), IP_PKTINFO):
            localAddress = message.load(as: in_pktinfo.self).map { .v4(UInt32(bigEndian: $0.ipi_addr.s_addr)) }
        case (Int32(IPPROTO_IPV6), IPV6_PKTINFO):
            // struct in6_pktinfo: the address, then the interface.
            localAddress = message.load(as: UInt128.self).map { .v6(UInt128(bigEndian: $0)) }
        default:
            break
        }
    }
}
