import CLinux
import LinuxKernel

/// An interface driver's description of itself, as `ethtool -i` prints it. Source: ETHTOOL_GDRVINFO in linux/ethtool.h.
public struct DriverInformation: Hashable, Sendable {
    public var name: String
    /// The driver's version; for most drivers, the kernel's.
    public var version: String
    /// The NIC's firmware version; empty if there is none.
    public var firmware: String
    /// The NIC's bus address, such as "0000:00:03.0"; empty for virtual interfaces.
    public var bus: String

    /// Creates a description from its fields.
    public init(name: String, version: String = "", firmware: String = "", bus: String = "") {
        self.name = name
        self.version = version
        self.firmware = firmware
        self.bus = bus
    }

    /// Queries the driver. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP if the driver does not support the call, ENODEV if there is no such
    ///   interface.
    public init(of interface: Interface) throws(SystemError) {
        var raw = cl_driver()
        try check("read the driver's description", cl_driver(interface.name, &raw))
        self.init(
            name: Self.text(raw.name), version: Self.text(raw.version), firmware: Self.text(raw.firmware),
            bus: Self.text(raw.bus))
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Sizes of a NIC's rings, in descriptors, as `ethtool -g` prints them. Source: ETHTOOL_GRINGPARAM in linux/ethtool.h.
public struct RingSizes: Hashable, Sendable {
    public var receive: UInt32
    public var receiveLimit: UInt32
    public var transmit: UInt32
    public var transmitLimit: UInt32

    /// Creates sizes, in descriptors.
    public init(receive: UInt32, receiveLimit: UInt32, transmit: UInt32, transmitLimit: UInt32) {
        self.receive = receive
        self.receiveLimit = receiveLimit
        self.transmit = transmit
        self.transmitLimit = transmitLimit
    }

    /// Queries the driver. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP if the driver has no rings, ENODEV if there is no such interface.
    public init(of interface: Interface) throws(SystemError) {
        var raw = cl_rings()
        try check("read the rings' sizes", cl_rings(interface.name, &raw))
        self.init(
            receive: raw.receive, receiveLimit: raw.receive_max, transmit: raw.transmit,
            transmitLimit: raw.transmit_max)
    }
}
