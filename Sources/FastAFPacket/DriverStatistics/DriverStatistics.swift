import CLinux
import Glibc
import LinuxKernel

/// The statistics of an interface's driver and NIC at one moment, as `ethtool -S` prints them.
///
/// Names and meanings are specific to the driver. Source: ETHTOOL_GSTRINGS and ETHTOOL_GSTATS in linux/ethtool.h.
public struct DriverStatistics: Hashable, Sendable {
    /// One counter, under the driver's name for it.
    public struct Counter: Hashable, Sendable, CustomStringConvertible {
        /// The driver's name for the counter, at most 31 characters.
        public var name: String
        public var value: UInt64

        /// Creates a counter.
        public init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }

        public var description: String { "\(name) \(value)" }

        /// True if the counter counts timestamps skipped because the NIC was busy with another, for the drivers listed
        /// at ``DriverStatistics/missedStamps``.
        public var meansBusy: Bool { name.contains("skip") }
    }

    /// All counters, in the driver's order.
    public var counters: [Counter]

    public init(counters: [Counter]) { self.counters = counters }

    /// Queries the driver. Needs no privilege.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP if the driver has no statistics, ENODEV if there is no such interface,
    ///   EAGAIN if the number of counters keeps changing.
    public init(of interface: Interface) throws(SystemError) { try self.init(of: interface.name, call: nil) }

    /// - Parameter call: replaces the ethtool call in tests; `nil` calls the kernel.
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

    /// The value of a counter; `nil` if the driver does not have it.
    public subscript(name: String) -> UInt64? { counters.first { $0.name == name }?.value }
}
