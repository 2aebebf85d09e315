import CLinux
import Glibc
import LinuxKernel

/// What an interface's driver and NIC count, as `ethtool -S` prints it, at one moment.
///
/// Names and meanings are each driver's own. Source: ETHTOOL_GSTRINGS and ETHTOOL_GSTATS in linux/ethtool.h.
public struct DriverStatistics: Hashable, Sendable {
    /// One counter, by the driver's own name for it.
    public struct Counter: Hashable, Sendable, CustomStringConvertible {
        /// At most 31 characters.
        public var name: String
        public var value: UInt64

        /// A counter as a driver would tell it.
        public init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }

        public var description: String { "\(name) \(value)" }

        /// Whether it counts timestamps that were left out because the NIC was busy with another, in the drivers of
        /// ``DriverStatistics/missedStamps``.
        public var meansBusy: Bool { name.contains("skip") }
    }

    /// In the driver's order.
    public var counters: [Counter]

    public init(counters: [Counter]) { self.counters = counters }

    /// Asks the driver. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP for a driver that counts nothing, ENODEV for no such interface, EAGAIN
    ///   where the counters keep changing in number.
    public init(of interface: Interface) throws(SystemError) { try self.init(of: interface.name, call: nil) }

    /// - Parameter call: plays the kernel; `nil` for the kernel itself.
    init(of name: String, call: (@convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Int32)?)
        throws(SystemError)
    {
        var raw: UnsafeMutablePointer<cl_statistic>?
        let count = try check("read the driver's statistics", cl_statistics(name, call, &raw))
        defer { free(raw) }
        counters = UnsafeBufferPointer(start: raw, count: Int(count)).map { statistic in
            let name = withUnsafeBytes(of: statistic.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return Counter(name: name, value: statistic.value)
        }
    }

    /// The value of a counter; `nil` where the driver does not have it.
    public subscript(name: String) -> UInt64? { counters.first { $0.name == name }?.value }
}
