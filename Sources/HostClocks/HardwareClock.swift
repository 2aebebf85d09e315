import CLinux
import Glibc
import LinuxKernel

/// A NIC's own clock (PHC), /dev/ptpN. Source: Documentation/driver-api/ptp.rst.
public struct HardwareClock: ~Copyable, Sendable {
    public let index: Int32
    private let descriptor: Descriptor

    /// Opens the clock to be read.
    ///
    /// - Parameter index: N in /dev/ptpN, as `ethtool -T` tells it.
    /// - Throws: `SystemError`: ENOENT for no such clock, EACCES where the device file may not be read.
    public init(index: Int32) throws(SystemError) {
        let number = open("/dev/ptp\(index)", O_RDONLY | O_CLOEXEC)
        if number < 0 {
            let code = errno
            throw SystemError(
                "open the hardware clock", code: code,
                remedy: code == EACCES ? "Run as root, or let your group read /dev/ptp\(index)." : nil)
        }
        descriptor = Descriptor(owning: number)
        self.index = index
    }

    /// What a clock calls itself, as its driver named it; `nil` for no such clock. Needs no privilege.
    ///
    /// Source: clock_name in Documentation/ABI/testing/sysfs-ptp.
    public static func name(index: Int32) -> String? { TextFile.contents("/sys/class/ptp/ptp\(index)/clock_name") }

    /// Reads the clock beside CLOCK_REALTIME, by the best method that the driver has, and by the shortest of up to 25
    /// brackets.
    ///
    /// - Throws: `SystemError` with what ioctl(2) gives; EAGAIN where the system's clock was set back meanwhile.
    public func read() throws(SystemError) -> ClockReading {
        var refusal = SystemError("read the hardware clock", code: EOPNOTSUPP)
        for method in ClockReading.Method.allCases {
            do throws(SystemError) {
                return try read(by: method)
            } catch  where error.code == EOPNOTSUPP || error.code == ENOTTY || error.code == EINVAL {
                refusal = error
            }
        }
        throw refusal
    }

    /// Reads the clock by one method.
    ///
    /// - Throws: `SystemError` EOPNOTSUPP for a method that the driver does not have.
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
            throw SystemError("read the hardware clock", code: EAGAIN, remedy: "The system's clock was being set.")
        }
        return reading
    }
}
