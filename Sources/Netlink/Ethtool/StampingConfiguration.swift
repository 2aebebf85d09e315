import CLinux

/// A NIC's timestamping configuration.
///
/// Source: ETHTOOL_A_TSCONFIG_* in Documentation/networking/ethtool-netlink.rst.
public struct StampingConfiguration: Hashable, Sendable {
    /// One bit, 1 << HWTSTAMP_TX_*; 0 leaves the setting unchanged.
    public var transmitType: UInt32
    /// One bit, 1 << HWTSTAMP_FILTER_*; 0 leaves the setting unchanged.
    public var receiveFilter: UInt32
    /// HWTSTAMP_FLAG_* bits.
    public var flags: UInt32
    /// The clock that provides the timestamps; `nil` leaves the setting unchanged.
    public var provider: StampProvider?

    /// A configuration with the given values.
    public init(transmitType: UInt32, receiveFilter: UInt32, flags: UInt32 = 0, provider: StampProvider? = nil) {
        self.transmitType = transmitType
        self.receiveFilter = receiveFilter
        self.flags = flags
        self.provider = provider
    }

    /// Decodes the replies to get and set; `nil` for other messages.
    package init?(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        let command = Int32(try message.fixed(as: genlmsghdr.self).cmd)
        guard command == CL_ETHTOOL_MSG_TSCONFIG_GET_REPLY || command == CL_ETHTOOL_MSG_TSCONFIG_SET_REPLY else {
            return nil
        }
        self.init(transmitType: 0, receiveFilter: 0)
        var reader = message.attributes(after: genlmsghdr.self)
        while reader.next() {
            switch Int32(reader.type) {
            case CL_ETHTOOL_A_TSCONFIG_TX_TYPES: transmitType = reader.bitset()
            case CL_ETHTOOL_A_TSCONFIG_RX_FILTERS: receiveFilter = reader.bitset()
            case CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_FLAGS: flags = reader.bitset()
            case CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_PROVIDER: provider = StampProvider(&reader)
            default: break
            }
        }
        if let error = reader.error { throw error }
    }

    func put(into attributes: inout AttributeWriter) {
        provider?.put(UInt16(CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_PROVIDER), into: &attributes)
        if transmitType != 0 { attributes.put(bitset: UInt16(CL_ETHTOOL_A_TSCONFIG_TX_TYPES), transmitType) }
        if receiveFilter != 0 { attributes.put(bitset: UInt16(CL_ETHTOOL_A_TSCONFIG_RX_FILTERS), receiveFilter) }
        attributes.put(bitset: UInt16(CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_FLAGS), flags)
    }
}
