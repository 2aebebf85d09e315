import CLinux
import LinuxKernel

/// A set of transmit timestamp kinds: those a connection requests, an interface offers, or a send got.
public struct TransmitStampKinds: OptionSet, Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The SCHED timestamp, taken when the frame enters the packet scheduler, CLOCK_REALTIME.
    public static let sched = TransmitStampKinds(rawValue: 1)
    /// The driver transmit timestamp, taken when the driver hands the frame to the NIC, CLOCK_REALTIME.
    public static let software = TransmitStampKinds(rawValue: 2)
    /// The hardware timestamp, taken when the NIC sends the frame, in nanoseconds of the PHC.
    public static let hardware = TransmitStampKinds(rawValue: 4)

    public static let all: TransmitStampKinds = [.sched, .software, .hardware]

    public var description: String {
        [(Self.sched, "sched"), (.software, "software"), (.hardware, "hardware")]
            .filter { contains($0.0) }.map(\.1).joined(separator: " ")
    }

    /// The SO_TIMESTAMPING bits that request these kinds.
    var generationFlags: UInt32 {
        var flags: UInt32 = 0
        if contains(.sched) { flags |= UInt32(SOF_TIMESTAMPING_TX_SCHED) }
        if contains(.software) { flags |= UInt32(SOF_TIMESTAMPING_TX_SOFTWARE) }
        if contains(.hardware) { flags |= UInt32(SOF_TIMESTAMPING_TX_HARDWARE) }
        return flags
    }
}

extension TransmitStamp {
    /// The kinds that this message carries.
    public var kinds: TransmitStampKinds {
        switch stage {
        case .sched:
            return .sched
        case .sent:
            var kinds: TransmitStampKinds = []
            if stamps.software != nil { kinds.insert(.software) }
            if stamps.hardware != nil { kinds.insert(.hardware) }
            return kinds
        case .acknowledged, .completed:
            return []
        }
    }
}

/// The timestamping capabilities that an interface advertises. Only sending and receiving shows which timestamps
/// arrive.
///
/// Source: ETHTOOL_GET_TS_INFO, linux/ethtool.h.
public struct TimestampingCapabilities: Hashable, Sendable {
    /// SOF_TIMESTAMPING_* bits.
    public var flags: UInt32
    /// 1 << HWTSTAMP_TX_* bits.
    public var transmitTypes: UInt32
    /// 1 << HWTSTAMP_FILTER_* bits.
    public var receiveFilters: UInt32
    /// The number N of the PHC, /dev/ptpN.
    public var clockIndex: Int32?

    public init(flags: UInt32, transmitTypes: UInt32 = 0, receiveFilters: UInt32 = 0, clockIndex: Int32? = nil) {
        self.flags = flags
        self.transmitTypes = transmitTypes
        self.receiveFilters = receiveFilters
        self.clockIndex = clockIndex
    }

    /// Queries the driver. Needs no privilege.
    ///
    /// - Throws: `SystemError` EOPNOTSUPP if the driver does not support the call, ENODEV if there is no such
    ///   interface.
    public init(of interface: Interface) throws(SystemError) {
        var raw = cl_ts_info()
        try check("read the timestamping capabilities", cl_ts_info(interface.name, &raw))
        self.init(
            flags: raw.so_timestamping, transmitTypes: raw.tx_types, receiveFilters: raw.rx_filters,
            clockIndex: raw.phc_index < 0 ? nil : raw.phc_index)
    }

    /// The transmit timestamps that the interface offers. The kernel itself takes SCHED timestamps, so they are always
    /// included.
    public var transmitStamps: TransmitStampKinds {
        var kinds: TransmitStampKinds = .sched
        if flags & UInt32(SOF_TIMESTAMPING_TX_SOFTWARE) != 0 { kinds.insert(.software) }
        if hasHardwareTransmit { kinds.insert(.hardware) }
        return kinds
    }

    /// True if the NIC advertises timestamps for every received frame.
    public var stampsAllReceived: Bool {
        hasHardwareReceive && receiveFilters & (1 << HWTSTAMP_FILTER_ALL.rawValue) != 0
    }

    /// True if the NIC advertises timestamps for received PTP Sync messages over Ethernet, whether or not for other
    /// frames.
    public var stampsReceivedPTP: Bool {
        hasHardwareReceive && Self.filtersOfPTP.contains { receiveFilters & (1 << $0) != 0 } || stampsAllReceived
    }

    /// Filters that timestamp PTP Sync messages over Ethernet, the widest first.
    static let filtersOfPTP = [
        HWTSTAMP_FILTER_PTP_V2_EVENT.rawValue, HWTSTAMP_FILTER_PTP_V2_L2_EVENT.rawValue,
        HWTSTAMP_FILTER_PTP_V2_SYNC.rawValue, HWTSTAMP_FILTER_PTP_V2_L2_SYNC.rawValue,
    ]

    var hasHardwareTransmit: Bool {
        flags & UInt32(SOF_TIMESTAMPING_TX_HARDWARE) != 0 && transmitTypes & (1 << HWTSTAMP_TX_ON.rawValue) != 0
    }

    var hasHardwareReceive: Bool { flags & UInt32(SOF_TIMESTAMPING_RX_HARDWARE) != 0 }
}
