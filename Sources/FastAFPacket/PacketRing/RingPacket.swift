import CLinux
import NetworkAddresses

/// One packet in a ring's memory, for as long as the reader's closure runs: each property is read when it is asked for.
///
/// Source: packet_mmap.rst and tpacket_rcv() in net/packet/af_packet.c.
public struct RingPacket: ~Copyable {
    @usableFromInline let header: UnsafeMutableRawPointer
    @usableFromInline let version: PacketRing.Version
    /// Bytes in the ring, a tag that was put back included.
    public let capturedLength: Int
    /// Bytes that a tag that was put back has added.
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

    /// Bytes on the wire, as far as the kernel shows them: a tag that was put back counts.
    @inlinable
    public var length: Int {
        switch version {
        case .v1: Int(v1.pointee.tp_len) &+ restoredBytes
        case .v2: Int(v2.pointee.tp_len) &+ restoredBytes
        case .v3: Int(v3.pointee.tp_len) &+ restoredBytes
        }
    }

    /// Whether the ring has less than the whole packet.
    @inlinable public var isTruncated: Bool { capturedLength < length }

    /// Nanoseconds by the clock that ``stampSource`` names; whole microseconds with TPACKET_V1.
    @inlinable
    public var stamp: Int64 {
        switch version {
        case .v1: Int64(v1.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v1.pointee.tp_usec) &* 1000
        case .v2: Int64(v2.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v2.pointee.tp_nsec)
        case .v3: Int64(v3.pointee.tp_sec) &* 1_000_000_000 &+ Int64(v3.pointee.tp_nsec)
        }
    }

    /// Where ``stamp`` is from.
    @inlinable
    public var stampSource: CaptureInfo.StampSource {
        if status & TP_STATUS_TS_RAW_HARDWARE != 0 { return .hardware }
        return status & UInt32(TP_STATUS_TS_SOFTWARE) != 0 ? .software : .copy
    }

    /// The other end: source address of what came in, interface, ethertype, and whom the packet was for.
    public var link: LinkAddress { LinkAddress(raw: address) }

    /// The interface that the packet came in or went out by.
    public var interfaceIndex: Int32 { address.sll_ifindex }

    /// struct sockaddr_ll behind the header: the reader has checked that it lies in the frame.
    private var address: sockaddr_ll {
        header.loadUnaligned(fromByteOffset: version.headerBytes, as: sockaddr_ll.self)
    }

    /// The 802.1Q tag (priority, drop-eligible bit, identifier) where the kernel took one out of the frame, put back or
    /// not. Not known with TPACKET_V1.
    public var vlanTag: UInt16? {
        guard status & UInt32(TP_STATUS_VLAN_VALID) != 0 else { return nil }
        return switch version {
        case .v1: nil
        case .v2: v2.pointee.tp_vlan_tci
        case .v3: UInt16(truncatingIfNeeded: v3.pointee.hv1.tp_vlan_tci)
        }
    }

    /// The tag's own ethertype, where there is a tag.
    var vlanProtocol: UInt16 {
        let isKnown = status & UInt32(TP_STATUS_VLAN_TPID_VALID) != 0
        return switch version {
        case .v2 where isKnown: v2.pointee.tp_vlan_tpid
        case .v3 where isKnown: v3.pointee.hv1.tp_vlan_tpid
        default: 0x8100
        }
    }

    /// Whether the sender on this host left the checksum to the NIC, so it is not in the packet yet.
    public var isChecksumPending: Bool { status & UInt32(TP_STATUS_CSUMNOTREADY) != 0 }

    /// Whether packets were dropped since the statistics were last read. Source: TP_STATUS_LOSING.
    public var isAfterLoss: Bool { status & UInt32(TP_STATUS_LOSING) != 0 }

    /// All of it as a value that outlives the packet.
    public var info: CaptureInfo {
        CaptureInfo(
            stamp: stamp, stampSource: stampSource, capturedLength: capturedLength, length: length,
            interfaceIndex: interfaceIndex, vlanTag: vlanTag)
    }
}

extension PacketRing.Version {
    /// The header's bytes, up to struct sockaddr_ll: TPACKET_ALIGN of its size.
    @inlinable
    var headerBytes: Int {
        switch self {
        case .v1, .v2: 32
        case .v3: 48
        }
    }

    /// The least that a frame takes before its packet: TPACKET_HDRLEN and its kind.
    @inlinable var leastBytes: Int { headerBytes + 20 }
}
