import CLinux
import NetworkAddresses

/// One packet in a ring's memory, valid while the reader's closure runs. Each property is read from the ring on access.
///
/// Source: packet_mmap.rst and tpacket_rcv() in net/packet/af_packet.c.
public struct RingPacket: ~Copyable {
    @usableFromInline let header: UnsafeMutableRawPointer
    @usableFromInline let version: PacketRing.Version
    /// Bytes in the ring, including a restored tag.
    public let capturedLength: Int
    /// Bytes added by a restored tag.
    @usableFromInline let restoredBytes: Int

    @inlinable
    init(_ header: UnsafeMutableRawPointer, _ version: PacketRing.Version, capturedLength: Int, restoredBytes: Int) {
        self.header = header
        self.version = version
        self.capturedLength = capturedLength
        self.restoredBytes = restoredBytes
    }

    @inlinable var v1: UnsafeMutablePointer<tpacket_hdr> { header.assumingMemoryBound(to: tpacket_hdr.self) }
    @inlinable var v2: UnsafeMutablePointer<tpacket2_hdr> { header.assumingMemoryBound(to: tpacket2_hdr.self) }
    @inlinable var v3: UnsafeMutablePointer<tpacket3_hdr> { header.assumingMemoryBound(to: tpacket3_hdr.self) }

    @inlinable
    var status: UInt32 {
        switch version {
        case .v1: UInt32(truncatingIfNeeded: v1.pointee.tp_status)
        case .v2: v2.pointee.tp_status
        case .v3: v3.pointee.tp_status
        }
    }

    /// Bytes on the wire, as far as the kernel reports them, including a restored tag.
    @inlinable
    public var length: Int {
        switch version {
        case .v1: Int(v1.pointee.tp_len) &+ restoredBytes
        case .v2: Int(v2.pointee.tp_len) &+ restoredBytes
        case .v3: Int(v3.pointee.tp_len) &+ restoredBytes
        }
    }

    /// True if the ring has less than the whole packet.
    @inlinable public var isTruncated: Bool { capturedLength < length }

    /// The timestamp in nanoseconds, by the clock that ``stampSource`` names; whole microseconds with TPACKET_V1.
    @inlinable
    public var stamp: Int64 {
        switch version {
        case .v1: Int64(v1.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v1.pointee.tp_usec) &* 1000
        case .v2: Int64(v2.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v2.pointee.tp_nsec)
        case .v3: Int64(v3.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v3.pointee.tp_nsec)
        }
    }

    /// The origin of ``stamp``.
    @inlinable
    public var stampSource: CaptureInfo.StampSource {
        if status & TP_STATUS_TS_RAW_HARDWARE != 0 { return .hardware }
        return status & UInt32(TP_STATUS_TS_SOFTWARE) != 0 ? .software : .copy
    }

    /// The frame's link-layer address: the source address, interface, ethertype and packet type.
    public var link: LinkAddress { LinkAddress(raw: address) }

    /// The index of the interface that the packet was received or sent on.
    public var interfaceIndex: Int32 { address.sll_ifindex }

    /// struct sockaddr_ll after the header; the reader has checked that it lies in the frame.
    private var address: sockaddr_ll {
        header.loadUnaligned(fromByteOffset: version.headerBytes, as: sockaddr_ll.self)
    }

    /// The 802.1Q tag (priority, drop-eligible bit, identifier) if the kernel removed one from the frame, restored or
    /// not. Not available with TPACKET_V1.
    public var vlanTag: UInt16? {
        guard status & UInt32(TP_STATUS_VLAN_VALID) != 0 else { return nil }
        return switch version {
        case .v1: nil
        case .v2: v2.pointee.tp_vlan_tci
        case .v3: UInt16(truncatingIfNeeded: v3.pointee.hv1.tp_vlan_tci)
        }
    }

    /// The tag's ethertype, if there is a tag.
    var vlanProtocol: UInt16 {
        let isKnown = status & UInt32(TP_STATUS_VLAN_TPID_VALID) != 0
        return switch version {
        case .v2 where isKnown: v2.pointee.tp_vlan_tpid
        case .v3 where isKnown: v3.pointee.hv1.tp_vlan_tpid
        default: 0x8100
        }
    }

    /// True if the sender on this host left the checksum to the NIC, so that the packet does not contain it yet.
    public var isChecksumPending: Bool { status & UInt32(TP_STATUS_CSUMNOTREADY) != 0 }

    /// True if packets were dropped since the statistics were last read. Source: TP_STATUS_LOSING.
    public var isAfterLoss: Bool { status & UInt32(TP_STATUS_LOSING) != 0 }

    /// A copy of the metadata that outlives the packet.
    public var info: CaptureInfo {
        CaptureInfo(
            stamp: stamp, stampSource: stampSource, capturedLength: capturedLength, length: length,
            interfaceIndex: interfaceIndex, vlanTag: vlanTag)
    }
}

extension PacketRing.Version {
    /// Bytes of the header before struct sockaddr_ll: TPACKET_ALIGN of the header's size.
    @inlinable
    var headerBytes: Int {
        switch self {
        case .v1, .v2: 32
        case .v3: 48
        }
    }

    /// The minimum bytes of a frame before its packet: TPACKET_HDRLEN, TPACKET2_HDRLEN, TPACKET3_HDRLEN.
    @inlinable var minimumBytes: Int { headerBytes + 20 }
}
