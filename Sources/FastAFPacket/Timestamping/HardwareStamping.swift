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

    /// Whether received frames of all kinds get timestamps.
    public var stampsAllReceived: Bool { receiveFilter == Int32(bitPattern: HWTSTAMP_FILTER_ALL.rawValue) }
    /// Whether received PTP Syncs over Ethernet get timestamps, whatever others do.
    public var stampsReceivedPTP: Bool {
        stampsAllReceived
            || TimestampingCapabilities.filtersOfPTP.contains { receiveFilter == Int32(bitPattern: $0) }
    }

    /// What is set on the NIC now. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP for a driver without hardware timestamps, ENODEV for no such interface. Source:
    ///   SIOCGHWTSTAMP in Documentation/networking/timestamping.rst.
    public init(of interface: Interface) throws(SystemError) {
        let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        self = try HardwareStamping.Device(interface.index, socket: socket).read().get()
    }
}

/// How a connection stands to the NIC's timestamping, which belongs to the whole NIC: ptp4l sets it too.
public enum HardwareStamping: Hashable, Sendable {
    /// The NIC has no hardware timestamps.
    case unavailable
    /// The NIC has them and they could not be switched on: the error tells why and what to do.
    case refused(SystemError)
    /// Somebody else had set it: used as it is, and left as it is.
    case borrowed(HardwareStampingConfiguration)
    /// Switched on by this connection (as the driver granted it), and given back on close.
    case switchedOn(HardwareStampingConfiguration, previous: HardwareStampingConfiguration)

    /// What is set on the NIC; `nil` where nothing is, or it is not known.
    public var configuration: HardwareStampingConfiguration? {
        switch self {
        case .unavailable, .refused: nil
        case .borrowed(let now), .switchedOn(let now, previous: _): now
        }
    }

    /// Whether hardware transmit timestamps can come.
    public var stampsTransmit: Bool {
        configuration.map { $0.transmitType != 0 } ?? false
    }

    /// The NIC's get and set calls, so that tests can play a NIC.
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

        /// SIOCGHWTSTAMP and SIOCSHWTSTAMP on an interface, by its number and in the socket's own network namespace,
        /// wherever the calling thread is and whatever the interface is called by then.
        ///
        /// - Parameter socket: open for as long as this is used.
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
                        error.remedy = "It needs CAP_NET_ADMIN: run as root, or `setcap cap_net_raw,cap_net_admin+ep`."
                    }
                    return .failure(error)
                }
                return .success(
                    HardwareStampingConfiguration(transmitType: raw.tx_type, receiveFilter: raw.rx_filter))
            }
        }
    }

    /// Switches hardware timestamping on if the NIC has it and nobody else has set it.
    ///
    /// - Parameter stampsPTP: whether the NIC is to timestamp received PTP frames where it can't timestamp all.
    static func acquire(
        _ capabilities: TimestampingCapabilities, device: Device, stampsPTP: Bool = false
    ) -> HardwareStamping {
        guard capabilities.hasHardwareTransmit || capabilities.hasHardwareReceive else { return .unavailable }
        let previous: HardwareStampingConfiguration
        switch device.read() {
        case .success(let found): previous = found
        // A driver that can't be asked can't be given back to either: leave it alone.
        case .failure(let error): return .refused(error)
        }
        guard previous == .off else { return .borrowed(previous) }
        let filters = [HWTSTAMP_FILTER_ALL.rawValue] + (stampsPTP ? TimestampingCapabilities.filtersOfPTP : [])
        let filter = filters.first { capabilities.receiveFilters & (1 << $0) != 0 } ?? 0
        let wanted = HardwareStampingConfiguration(
            transmitType: capabilities.hasHardwareTransmit ? Int32(bitPattern: HWTSTAMP_TX_ON.rawValue) : 0,
            receiveFilter: Int32(bitPattern: filter))
        guard wanted != .off else { return .unavailable }
        return switch device.write(wanted) {
        // Drivers may widen the filter: what they granted is what counts.
        case .success(let granted): .switchedOn(granted, previous: previous)
        case .failure(let error): .refused(error)
        }
    }

    /// Gives back what ``acquire(_:device:)`` switched on, unless somebody has changed it since.
    func restore(to device: Device) {
        guard case .switchedOn(let granted, let previous) = self,
            case .success(let now) = device.read(), now == granted
        else { return }
        _ = device.write(previous)
    }
}
