import CLinux
import Glibc
import LinuxKernel

/// The NIC-wide timestamping configuration: struct hwtstamp_config. Source: linux/net_tstamp.h.
public struct HardwareStampingConfiguration: Hashable, Sendable {
    /// HWTSTAMP_TX_*.
    public var transmitType: Int32
    /// HWTSTAMP_FILTER_*.
    public var receiveFilter: Int32

    public init(transmitType: Int32, receiveFilter: Int32) {
        self.transmitType = transmitType
        self.receiveFilter = receiveFilter
    }

    public static let off = HardwareStampingConfiguration(transmitType: 0, receiveFilter: 0)

    /// True if received frames of all kinds get timestamps.
    public var stampsAllReceived: Bool { receiveFilter == Int32(bitPattern: HWTSTAMP_FILTER_ALL.rawValue) }
    /// True if received PTP Sync messages over Ethernet get timestamps, whether or not other frames do.
    public var stampsReceivedPTP: Bool {
        stampsAllReceived
            || TimestampingCapabilities.filtersOfPTP.contains { receiveFilter == Int32(bitPattern: $0) }
    }

    /// Returns this configuration, extended by what `wanted` has beyond it.
    func extended(by wanted: Self) -> Self {
        var result = self
        if transmitType == 0 { result.transmitType = wanted.transmitType }
        let hasFilter =
            wanted.receiveFilter == 0 || stampsAllReceived || stampsReceivedPTP && !wanted.stampsAllReceived
        if !hasFilter { result.receiveFilter = wanted.receiveFilter }
        return result
    }

    /// Reads the NIC's current configuration. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP if the driver has no hardware timestamps, ENODEV if there is no such
    ///   interface. Source: SIOCGHWTSTAMP in Documentation/networking/timestamping.rst.
    public init(of interface: Interface) throws(SystemError) {
        let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        self = try HardwareStamping.Device(interface.index, socket: socket).read().get()
    }
}

/// The state of the NIC's timestamping as a connection found or set it. The setting is NIC-wide: ptp4l changes it too.
public enum HardwareStamping: Hashable, Sendable {
    /// The NIC has no hardware timestamps.
    case unavailable
    /// The NIC has them, but they could not be switched on: the error gives the reason and the remedy.
    case refused(SystemError)
    /// Another program had switched them on: the connection uses that configuration and leaves it unchanged.
    case borrowed(HardwareStampingConfiguration)
    /// This connection or another one of this library, in any process, switched them on, with the configuration that
    /// the driver granted. The last of these connections to close restores the previous one.
    case switchedOn(HardwareStampingConfiguration, previous: HardwareStampingConfiguration)

    /// The NIC's configuration; `nil` if none is set or it is not known.
    public var configuration: HardwareStampingConfiguration? {
        switch self {
        case .unavailable, .refused: nil
        case .borrowed(let now), .switchedOn(let now, previous: _): now
        }
    }

    /// True if hardware transmit timestamps can arrive.
    public var stampsTransmit: Bool {
        configuration.map { $0.transmitType != 0 } ?? false
    }

    /// The NIC's get and set calls, so that tests can simulate a NIC.
    struct Device {
        var read: () -> Result<HardwareStampingConfiguration, SystemError>
        var write: (HardwareStampingConfiguration) -> Result<HardwareStampingConfiguration, SystemError>

        init(
            read: @escaping () -> Result<HardwareStampingConfiguration, SystemError>,
            write: @escaping (HardwareStampingConfiguration) -> Result<HardwareStampingConfiguration, SystemError>
        ) {
            self.read = read
            self.write = write
        }

        /// SIOCGHWTSTAMP and SIOCSHWTSTAMP on an interface, by its index and in the socket's network namespace,
        /// whatever the calling thread's namespace and the interface's current name.
        ///
        /// - Parameter socket: must stay open while this is used.
        init(_ interfaceIndex: Int32, socket: borrowing Descriptor) {
            let number = socket.rawValue
            read = {
                var raw = cl_hwtstamp()
                let result = cl_hwtstamp_get(number, interfaceIndex, &raw)
                if result < 0 {
                    return .failure(SystemError("read the NIC's timestamping configuration", code: -result))
                }
                return .success(
                    HardwareStampingConfiguration(transmitType: raw.tx_type, receiveFilter: raw.rx_filter))
            }
            write = { wanted in
                var raw = cl_hwtstamp(flags: 0, tx_type: wanted.transmitType, rx_filter: wanted.receiveFilter)
                let result = cl_hwtstamp_set(number, interfaceIndex, &raw)
                if result < 0 {
                    var error = SystemError("switch the NIC's timestamping on", code: -result)
                    if -result == EPERM {
                        error.remedy =
                            "Switching it on needs CAP_NET_ADMIN: run as root, or `setcap cap_net_raw,cap_net_admin+ep`."
                    }
                    return .failure(error)
                }
                return .success(
                    HardwareStampingConfiguration(transmitType: raw.tx_type, receiveFilter: raw.rx_filter))
            }
        }
    }
}
