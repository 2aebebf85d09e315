import CLinux
import Glibc
import LinuxKernel

/// A PTP hardware clock (PHC) of a NIC, /dev/ptpN. Source: Documentation/driver-api/ptp.rst.
public struct HardwareClock: ~Copyable, Sendable {
    public let index: Int32
    private let descriptor: Descriptor

    /// Opens the clock for reading.
    ///
    /// - Parameter index: N in /dev/ptpN, as `ethtool -T` prints it.
    /// - Throws: `SystemError`: ENOENT if there is no such clock, EACCES if the device file is not readable.
    public init(index: Int32) throws(SystemError) {
        let number = open("/dev/ptp\(index)", O_RDONLY | O_CLOEXEC)
        if number < 0 {
            let code = errno
            throw SystemError(
                "open the hardware clock", code: code,
                remedy: code == EACCES ? "Run as root, or give your group read access to /dev/ptp\(index)." : nil)
        }
        descriptor = Descriptor(owning: number)
        self.index = index
    }

    /// Returns the clock's name from its driver; `nil` if there is no such clock. Needs no privilege.
    ///
    /// Source: clock_name in Documentation/ABI/testing/sysfs-ptp.
    public static func name(index: Int32) -> String? { TextFile.contents("/sys/class/ptp/ptp\(index)/clock_name") }

    /// Reads the clock together with CLOCK_REALTIME, by the best method that the driver supports, and selects the
    /// shortest of up to 25 brackets.
    ///
    /// - Throws: `SystemError` from ioctl(2); EAGAIN if the system clock was set back meanwhile.
    public func read() throws(SystemError) -> ClockReading {
        var failure = SystemError("read the hardware clock", code: EOPNOTSUPP)
        for method in ClockReading.Method.allCases {
            do throws(SystemError) {
                return try read(by: method)
            } catch  where error.code == EOPNOTSUPP || error.code == ENOTTY || error.code == EINVAL {
                failure = error
            }
        }
        throw failure
    }

    /// Reads the clock by one method.
    ///
    /// - Throws: `SystemError` EOPNOTSUPP if the driver does not support the method.
    public func read(by method: ClockReading.Method) throws(SystemError) -> ClockReading {
        let number = descriptor.rawValue
        let result: Result<ClockReading?, SystemError> = withUnsafeTemporaryAllocation(
            of: cl_phc_bracket.self, capacity: Int(CL_PHC_SAMPLES)
        ) { brackets in
            let count =
                switch method {
                case .precise: cl_phc_precise(number, brackets.baseAddress)
                case .extended: cl_phc_extended(number, brackets.baseAddress)
                case .plain: cl_phc_plain(number, brackets.baseAddress)
                }
            if count < 0 { return .failure(SystemError("read the hardware clock", code: -count)) }
            let read = brackets.prefix(Int(count)).lazy.map {
                ClockReading.Bracket(before: $0.before, hardware: $0.phc, after: $0.after)
            }
            return .success(ClockReading(shortestOf: read, method: method))
        }
        guard let reading = try result.get() else {
            throw SystemError(
                "read the hardware clock", code: EAGAIN,
                remedy: "The system clock was set during the reading. Try again.")
        }
        return reading
    }
}
