import CLinux
import Netlink
import NetworkAddresses

extension ReceivedSample {
    /// Decodes the attributes of one PSAMPLE_CMD_SAMPLE over the previous sample, without copying or allocating.
    /// Unknown attributes of newer kernels are skipped.
    ///
    /// - Parameter message: the message; its buffer must stay valid until the next decoding or the end of this sample.
    /// - Throws: ``NetlinkFormatError`` for the first attribute that is truncated or has the wrong size. The sample's
    ///   contents are then undefined.
    public mutating func decode(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        sample = .empty
        data = UnsafeRawBufferPointer(start: nil, count: 0)
        cookie = nil
        options = data
        let attributes = message.payload.dropFirst(MemoryLayout<genlmsghdr>.size)
        // A constant byte order and in-place writes each make decoding about a quarter faster.
        var reader = AttributeReader(UnsafeRawBufferPointer(rebasing: attributes), order: .host)
        while reader.next() {
            switch Int(reader.type) {
            case PSAMPLE_ATTR_IIFINDEX: sample.inputInterface = reader.interfaceNumber()
            case PSAMPLE_ATTR_OIFINDEX: sample.outputInterface = reader.interfaceNumber()
            case PSAMPLE_ATTR_ORIGSIZE: sample.originalSize = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_SAMPLE_GROUP: sample.group = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_GROUP_SEQ: sample.sequence = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_SAMPLE_RATE: sample.rate = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_DATA: data = reader.payload
            case PSAMPLE_ATTR_GROUP_REFCOUNT: sample.groupReferences = reader.integer(as: UInt32.self)
            case PSAMPLE_ATTR_TUNNEL:
                sample.tunnel = .empty
                if let error = sample.tunnel?.decode(reader.payload, &options) { reader.reject(error) }
            case PSAMPLE_ATTR_OUT_TC: sample.outputTrafficClass = reader.integer(as: UInt16.self)
            case PSAMPLE_ATTR_OUT_TC_OCC: sample.outputOccupancy = reader.integer(as: UInt64.self)
            case PSAMPLE_ATTR_LATENCY: sample.latency = reader.integer(as: UInt64.self)
            // A ktime_t, which is signed, in an unsigned attribute.
            case PSAMPLE_ATTR_TIMESTAMP: sample.timestamp = reader.integer(as: Int64.self)
            case PSAMPLE_ATTR_PROTO: sample.protocolNumber = reader.integer(as: UInt16.self)
            case Int(CL_PSAMPLE_ATTR_USER_COOKIE): cookie = reader.payload
            case Int(CL_PSAMPLE_ATTR_SAMPLE_PROBABILITY): sample.isProbability = reader.flag()
            default: break
            }
        }
        if let error = reader.error { throw error }
    }
}

extension Tunnel {
    /// Decodes the nested attributes. The error is returned, not written to the outer reader: a reader passed `inout`
    /// could not stay in registers.
    fileprivate mutating func decode(
        _ attributes: UnsafeRawBufferPointer, _ options: inout UnsafeRawBufferPointer
    ) -> NetlinkFormatError? {
        // The kernel writes addresses and ports in network byte order without setting NLA_F_NET_BYTEORDER.
        var reader = AttributeReader(attributes, order: .network)
        while reader.next() {
            switch psample_tunnel_key_attr(UInt32(reader.type)) {
            case PSAMPLE_TUNNEL_KEY_ATTR_ID: identifier = reader.integer(as: UInt64.self)
            case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC: source = reader.integer(as: UInt32.self).map { .v4($0) }
            case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST: destination = reader.integer(as: UInt32.self).map { .v4($0) }
            case PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC: source = reader.integer(as: UInt128.self).map { .v6($0) }
            case PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST: destination = reader.integer(as: UInt128.self).map { .v6($0) }
            case PSAMPLE_TUNNEL_KEY_ATTR_TOS: trafficClass = reader.integer(as: UInt8.self)
            case PSAMPLE_TUNNEL_KEY_ATTR_TTL: hopLimit = reader.integer(as: UInt8.self)
            case PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC: sourcePort = reader.integer(as: UInt16.self)
            case PSAMPLE_TUNNEL_KEY_ATTR_TP_DST: destinationPort = reader.integer(as: UInt16.self)
            case PSAMPLE_TUNNEL_KEY_ATTR_DONT_FRAGMENT: forbidsFragments = reader.flag()
            case PSAMPLE_TUNNEL_KEY_ATTR_CSUM: hasChecksum = reader.flag()
            case PSAMPLE_TUNNEL_KEY_ATTR_OAM: isManagement = reader.flag()
            case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_INFO_BRIDGE: isBridged = reader.flag()
            case PSAMPLE_TUNNEL_KEY_ATTR_GENEVE_OPTS: receive(.geneve, reader.payload, &options)
            case PSAMPLE_TUNNEL_KEY_ATTR_VXLAN_OPTS: receive(.vxlan, reader.payload, &options)
            case PSAMPLE_TUNNEL_KEY_ATTR_ERSPAN_OPTS: receive(.erspan, reader.payload, &options)
            default: break
            }
        }
        return reader.error
    }

    private mutating func receive(
        _ kind: OptionKind, _ payload: UnsafeRawBufferPointer, _ options: inout UnsafeRawBufferPointer
    ) {
        self.options = kind
        options = payload
    }
}

extension AttributeReader {
    /// An interface index: 16 bits from current kernels; 32 bits are accepted too.
    @inline(__always)
    fileprivate mutating func interfaceNumber() -> UInt32? {
        payload.count == 2 ? integer(as: UInt16.self).map(UInt32.init) : integer(as: UInt32.self)
    }

    /// True for a flag attribute, which has no payload.
    @inline(__always)
    fileprivate mutating func flag() -> Bool {
        let isEmpty = payload.isEmpty
        if !isEmpty { reject(.attributeSize(type: type, bytes: payload.count)) }
        return isEmpty
    }
}

extension Sample {
    /// Assigned as a whole, which is faster than clearing each property.
    fileprivate static let empty = Sample()
}

extension Tunnel {
    fileprivate static let empty = Tunnel()
}
