import CLinux
import Netlink
import NetworkAddresses

/// ctnetlink's message types, with the subsystem in the upper byte. Source: linux/netfilter/nfnetlink.h.
enum ConntrackMessage {
    static let new = type(IPCTNL_MSG_CT_NEW)
    static let get = type(IPCTNL_MSG_CT_GET)
    static let delete = type(IPCTNL_MSG_CT_DELETE)
    static let statistics = type(IPCTNL_MSG_CT_GET_STATS)

    private static func type(_ message: cntl_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(message.rawValue)
    }
}

extension Flow {
    /// Decodes IPCTNL_MSG_CT_NEW (also the answer to a dump or lookup) and IPCTNL_MSG_CT_DELETE; `nil` for other
    /// messages.
    ///
    /// Nothing is allocated.
    /// - Throws: ``NetlinkFormatError`` if an attribute is truncated or has the wrong size, or a tuple is missing or
    ///   lacks two addresses of one family.
    public init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard message.type == ConntrackMessage.new || message.type == ConntrackMessage.delete else { return nil }
        _ = try message.fixed(as: nfgenmsg.self)
        var reader = message.attributes(after: nfgenmsg.self, order: .network)
        try self.init(&reader)
    }

    private init(_ reader: inout AttributeReader) throws(NetlinkFormatError) {
        var original: FlowTuple?
        var reply: FlowTuple?
        var rest = Flow.placeholder
        while reader.next() {
            switch UInt32(reader.type) {
            case CTA_TUPLE_ORIG.rawValue: original = FlowTuple(&reader, zone: &rest.originalZone)
            case CTA_TUPLE_REPLY.rawValue: reply = FlowTuple(&reader, zone: &rest.replyZone)
            case CTA_STATUS.rawValue: rest.status = reader.integer(as: UInt32.self).map(FlowStatus.init)
            case CTA_TIMEOUT.rawValue: rest.timeout = reader.integer(as: UInt32.self)
            case CTA_MARK.rawValue: rest.mark = reader.integer(as: UInt32.self)
            case CTA_ZONE.rawValue: rest.zone = reader.integer(as: UInt16.self)
            case CTA_ID.rawValue: rest.id = reader.integer(as: UInt32.self)
            case CTA_USE.rawValue: rest.use = reader.integer(as: UInt32.self)
            case CTA_COUNTERS_ORIG.rawValue: rest.originalCounters = Counters(&reader)
            case CTA_COUNTERS_REPLY.rawValue: rest.replyCounters = Counters(&reader)
            case CTA_TIMESTAMP.rawValue: rest.readTimes(&reader)
            case CTA_PROTOINFO.rawValue: rest.readProtocolState(&reader)
            default: break
            }
        }
        if let error = reader.error { throw error }
        guard let original else { throw .missingAttribute(type: UInt16(CTA_TUPLE_ORIG.rawValue)) }
        guard let reply else { throw .missingAttribute(type: UInt16(CTA_TUPLE_REPLY.rawValue)) }
        self = rest
        self.original = original
        self.reply = reply
    }

    /// A flow to fill in until both tuples are decoded.
    private static var placeholder: Flow {
        let tuple = FlowTuple(source: .v4(0), destination: .v4(0), transport: .udp, selector: .none)
        return Flow(original: tuple, reply: tuple)
    }

    /// Reads CTA_TIMESTAMP, in CLOCK_REALTIME nanoseconds.
    private mutating func readTimes(_ reader: inout AttributeReader) {
        var (start, stop): (UInt64?, UInt64?)
        reader.nested { times in
            while times.next() {
                switch UInt32(times.type) {
                case CTA_TIMESTAMP_START.rawValue: start = times.integer(as: UInt64.self)
                case CTA_TIMESTAMP_STOP.rawValue: stop = times.integer(as: UInt64.self)
                default: break
                }
            }
        }
        startTime = start.map { Int64(clamping: $0) }
        stopTime = stop.map { Int64(clamping: $0) }
    }

    private mutating func readProtocolState(_ reader: inout AttributeReader) {
        var state: UInt8?
        reader.nested { information in
            while information.next() {
                guard UInt32(information.type) == CTA_PROTOINFO_TCP.rawValue else { continue }
                information.nested { tcp in
                    while tcp.next() {
                        guard UInt32(tcp.type) == CTA_PROTOINFO_TCP_STATE.rawValue else { continue }
                        state = tcp.integer(as: UInt8.self)
                    }
                }
            }
        }
        tcpState = state.map(TCPState.init)
    }
}

extension Flow.Counters {
    /// Reads CTA_COUNTERS_ORIG or CTA_COUNTERS_REPLY.
    fileprivate init?(_ reader: inout AttributeReader) {
        var (packets, bytes): (UInt64?, UInt64?)
        reader.nested { counters in
            while counters.next() {
                switch UInt32(counters.type) {
                case CTA_COUNTERS_PACKETS.rawValue: packets = counters.integer(as: UInt64.self)
                case CTA_COUNTERS_BYTES.rawValue: bytes = counters.integer(as: UInt64.self)
                default: break
                }
            }
        }
        guard let packets, let bytes else { return nil }
        self.init(packets: packets, bytes: bytes)
    }
}
