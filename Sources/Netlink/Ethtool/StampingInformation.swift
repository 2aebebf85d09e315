import CLinux

/// An interface's advertised timestamping capabilities. Only sending packets shows which timestamps arrive.
///
/// Source: ETHTOOL_A_TSINFO_* in Documentation/networking/ethtool-netlink.rst.
public struct StampingInformation: Hashable, Sendable {
    /// SOF_TIMESTAMPING_* bits.
    public var flags: UInt32 = 0
    /// 1 << HWTSTAMP_TX_* bits.
    public var transmitTypes: UInt32 = 0
    /// 1 << HWTSTAMP_FILTER_* bits.
    public var receiveFilters: UInt32 = 0
    /// N of the PHC's /dev/ptpN; `nil` if there is no PHC.
    public var clockIndex: UInt32?
    /// The timestamp source that these capabilities describe (Linux 6.14).
    public var provider: StampProvider?
    /// The driver's counters; `nil` if it keeps none or the kernel is older than 6.10.
    public var statistics: StampStatistics?

    /// Capabilities with the given values.
    public init(
        flags: UInt32 = 0, transmitTypes: UInt32 = 0, receiveFilters: UInt32 = 0, clockIndex: UInt32? = nil,
        provider: StampProvider? = nil, statistics: StampStatistics? = nil
    ) {
        self.flags = flags
        self.transmitTypes = transmitTypes
        self.receiveFilters = receiveFilters
        self.clockIndex = clockIndex
        self.provider = provider
        self.statistics = statistics
    }

    /// Decodes ETHTOOL_MSG_TSINFO_GET_REPLY; `nil` for other messages.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        guard try message.fixed(as: genlmsghdr.self).cmd == UInt8(ETHTOOL_MSG_TSINFO_GET_REPLY) else {
            return nil
        }
        self.init()
        var reader = message.attributes(after: genlmsghdr.self)
        while reader.next() {
            switch Int32(reader.type) {
            case Int32(ETHTOOL_A_TSINFO_TIMESTAMPING): flags = reader.bitset()
            case Int32(ETHTOOL_A_TSINFO_TX_TYPES): transmitTypes = reader.bitset()
            case Int32(ETHTOOL_A_TSINFO_RX_FILTERS): receiveFilters = reader.bitset()
            case Int32(ETHTOOL_A_TSINFO_PHC_INDEX): clockIndex = reader.integer(as: UInt32.self)
            case CL_ETHTOOL_A_TSINFO_STATS: statistics = StampStatistics(&reader)
            case CL_ETHTOOL_A_TSINFO_HWTSTAMP_PROVIDER: provider = StampProvider(&reader)
            default: break
            }
        }
        if let error = reader.error { throw error }
    }
}

/// A driver's counters of transmit timestamps; `nil` for each that it does not keep.
///
/// Source: ETHTOOL_A_TS_STAT_* in Documentation/networking/ethtool-netlink.rst.
public struct StampStatistics: Hashable, Sendable {
    /// Packets whose timestamp was delivered.
    public var stamped: UInt64?
    /// Packets whose timestamp was requested and never delivered.
    public var lost: UInt64?
    /// Packets that could not be timestamped, for example because the driver had no free slot.
    public var failed: UInt64?
    /// One-step packets, into which the NIC inserts the timestamp without confirmation to the driver.
    public var unconfirmed: UInt64?

    /// Counters with the given values.
    public init(stamped: UInt64? = nil, lost: UInt64? = nil, failed: UInt64? = nil, unconfirmed: UInt64? = nil) {
        self.stamped = stamped
        self.lost = lost
        self.failed = failed
        self.unconfirmed = unconfirmed
    }

    /// Decodes the counters; `nil` if the attribute is empty, which means that the driver counts nothing.
    init?(_ reader: inout AttributeReader) {
        var found = StampStatistics()
        reader.nested { counts in
            while counts.next() {
                switch Int32(counts.type) {
                case CL_ETHTOOL_A_TS_STAT_TX_PKTS: found.stamped = counts.count()
                case CL_ETHTOOL_A_TS_STAT_TX_LOST: found.lost = counts.count()
                case CL_ETHTOOL_A_TS_STAT_TX_ERR: found.failed = counts.count()
                case CL_ETHTOOL_A_TS_STAT_TX_ONESTEP_PKTS_UNCONFIRMED: found.unconfirmed = counts.count()
                default: break
                }
            }
        }
        if found == StampStatistics() { return nil }
        self = found
    }
}

/// The clock that provides the timestamps of an interface with several, such as a NIC's and a PHY's.
///
/// Source: ETHTOOL_A_TS_HWTSTAMP_PROVIDER_* in Documentation/networking/ethtool-netlink.rst.
public struct StampProvider: Hashable, Sendable {
    /// N of the PHC's /dev/ptpN.
    public var clockIndex: UInt32
    /// enum hwtstamp_provider_qualifier: 0 precise, 1 approximate.
    public var qualifier: UInt32

    /// A clock with the given values.
    public init(clockIndex: UInt32, qualifier: UInt32 = 0) {
        self.clockIndex = clockIndex
        self.qualifier = qualifier
    }

    init?(_ reader: inout AttributeReader) {
        var index: UInt32?
        var qualifier: UInt32?
        reader.nested { provider in
            while provider.next() {
                switch Int32(provider.type) {
                case CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_INDEX: index = provider.integer(as: UInt32.self)
                case CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_QUALIFIER: qualifier = provider.integer(as: UInt32.self)
                default: break
                }
            }
        }
        guard let index else { return nil }
        self.init(clockIndex: index, qualifier: qualifier ?? 0)
    }

    func put(_ type: UInt16, into attributes: inout AttributeWriter) {
        attributes.putNested(type) { provider in
            provider.put(UInt16(CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_INDEX), clockIndex)
            provider.put(UInt16(CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_QUALIFIER), qualifier)
        }
    }
}

extension AttributeReader {
    /// Reads a netlink "uint": 4 bytes, or 8 if the value needs them.
    fileprivate mutating func count() -> UInt64? {
        payload.count == 4 ? integer(as: UInt32.self).map(UInt64.init) : integer(as: UInt64.self)
    }
}
