import CLinux
import Glibc
import LinuxKernel
import Synchronization
import Testing

@testable import FastAFPacket

/// `ethtool -S` of a veth, and of simulated kernels.
struct DriverStatisticsTests {
    /// The simulated kernel's answers. Its calls are C functions without a context, so the state is static.
    private struct Kernel {
        var counts: [UInt32] = [2]
        var names: [String] = ["one", "two"]
        var namesLength: UInt32?
        var valuesLength: UInt32?
        var hasStatistics = true
        var error: Int32 = 0
        var calls = 0
        var asked: [UInt32] = []
    }
    private static let kernel = Mutex(Kernel())
    /// Only one test at a time uses the simulated kernel.
    private static let gate = Mutex(())

    /// Reads the statistics of a simulated kernel, modified by `change`.
    private static func read(_ change: (inout Kernel) -> Void) -> (Result<DriverStatistics, SystemError>, Kernel) {
        gate.withLock { _ in
            kernel.withLock {
                $0 = Kernel()
                change(&$0)
            }
            let result: Result<DriverStatistics, SystemError>
            do throws(SystemError) {
                result = .success(try DriverStatistics(of: "simulated0", call: answer))
            } catch {
                result = .failure(error)
            }
            return (result, kernel.withLock { $0 })
        }
    }

    private static let answer: @convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Int32 = { _, data in
        guard let data else { return -EFAULT }
        return DriverStatisticsTests.kernel.withLock { kernel in
            let command = data.load(as: UInt32.self)
            if kernel.error != 0 { return -kernel.error }
            switch command {
            case 0x37:
                // ETHTOOL_GSSET_INFO: command, padding, 64-bit mask, counts.
                let count = kernel.counts[min(kernel.calls, kernel.counts.count - 1)]
                kernel.calls += 1
                data.storeBytes(of: kernel.hasStatistics ? 1 << 1 : 0, toByteOffset: 8, as: UInt64.self)
                data.storeBytes(of: count, toByteOffset: 16, as: UInt32.self)
            case 0x1b:
                // ETHTOOL_GSTRINGS: command, set, length, names of 32 bytes.
                kernel.asked.append(data.load(fromByteOffset: 8, as: UInt32.self))
                let length = kernel.namesLength ?? kernel.asked[kernel.asked.count - 1]
                data.storeBytes(of: length, toByteOffset: 8, as: UInt32.self)
                for (index, name) in kernel.names.prefix(Int(clamping: length)).enumerated() {
                    let bytes = Array(name.utf8.prefix(32))
                    (data + 12 + 32 * index).copyMemory(from: bytes, byteCount: bytes.count)
                }
            case 0x1d:
                // ETHTOOL_GSTATS: command, length, values.
                let length = kernel.valuesLength ?? data.load(fromByteOffset: 4, as: UInt32.self)
                data.storeBytes(of: length, toByteOffset: 4, as: UInt32.self)
                for index in 0..<min(Int(clamping: length), 65536) {
                    data.storeBytes(of: UInt64(index) * 10, toByteOffset: 8 + 8 * index, as: UInt64.self)
                }
            default:
                return -EOPNOTSUPP
            }
            return 0
        }
    }

    private static func code(_ change: (inout Kernel) -> Void) -> Int32? {
        if case .failure(let error) = read(change).0 { error.code } else { nil }
    }

    @Test("Names and values are read in the driver's order")
    func order() throws {
        let (result, kernel) = Self.read { _ in }
        #expect(try result.get().counters == [.init(name: "one", value: 0), .init(name: "two", value: 10)])
        #expect(try result.get()["two"] == 10 && result.get()["three"] == nil)
        #expect(kernel.asked == [2])
    }

    @Test("A name of 32 bytes without a terminator is truncated, and empty or invalid UTF-8 names are kept in place")
    func names() throws {
        let long = String(repeating: "n", count: 40)
        let (result, _) = Self.read {
            $0.counts = [4]
            $0.names = [long, "", "caf\u{e9}", "x"]
        }
        let names = try result.get().counters.map(\.name)
        #expect(names == [String(repeating: "n", count: 31), "", "café", "x"])
    }

    @Test("A driver without statistics gives EOPNOTSUPP, and one with zero counters an empty list")
    func none() throws {
        #expect(Self.code { $0.hasStatistics = false } == EOPNOTSUPP)
        #expect(try Self.read { $0.counts = [0] }.0.get().counters.isEmpty)
    }

    @Test("The kernel's error is thrown", arguments: [ENODEV, EOPNOTSUPP, EFAULT])
    func errors(error: Int32) { #expect(Self.code { $0.error = error } == error) }

    @Test("An implausible number of counters is rejected", arguments: [65537, 1 << 31, .max] as [UInt32])
    func tooMany(count: UInt32) { #expect(Self.code { $0.counts = [count] } == E2BIG) }

    @Test("The maximum number of counters is read")
    func most() throws {
        let (result, _) = Self.read { $0.counts = [65536] }
        let counters = try result.get().counters
        #expect(counters.count == 65536 && counters.last?.value == 655350)
    }

    @Test(
        "Names and values of different counts are not combined, whatever lengths the kernel reports",
        arguments: [0, 1, 3, 65536, 65537, .max] as [UInt32])
    func lyingLengths(length: UInt32) {
        #expect(Self.code { $0.namesLength = length } == EAGAIN)
        #expect(Self.code { $0.valuesLength = length } == EAGAIN)
        #expect(
            Self.code {
                $0.namesLength = length
                $0.valuesLength = length
            } == EAGAIN)
    }

    @Test("A count that changes between the calls is read again")
    func changing() throws {
        let (result, kernel) = Self.read {
            $0.counts = [5, 3, 2]
            $0.namesLength = 2
        }
        #expect(try result.get().counters.map(\.name) == ["one", "two"])
        #expect(kernel.asked == [5, 3, 2])
    }

    @Test("A kernel that writes more than it announced fails at a protected page")
    func overrun() {
        // read(2) simulates the kernel's copy, which fails where the memory ends.
        let overrun: @convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Int32 = { _, data in
            guard let data, data.load(as: UInt32.self) != 0x37 else {
                data?.storeBytes(of: 1, toByteOffset: 16, as: UInt32.self)
                return 0
            }
            let zeros = open("/dev/zero", O_RDONLY)
            defer { close(zeros) }
            let wanted = 32 << 20
            let count = Glibc.read(zeros, data, wanted)
            return count == wanted ? 0 : -EFAULT
        }
        let error = #expect(throws: SystemError.self) { _ = try DriverStatistics(of: "simulated0", call: overrun) }
        #expect(error?.code == EFAULT)
    }
}

/// Tests against the kernel.
@Suite(.needsRoot, .vethPair)
struct LiveDriverStatisticsTests {
    @Test("A veth's counters are those that `ethtool -S` prints, in its order")
    func veth() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.left)
        let read = try pair.enter(.left) { () throws(SystemError) in try DriverStatistics(of: interface) }
        let printed = try pair.output(.left, ["ethtool", "-S", interface.name]).split(separator: "\n").dropFirst()
        let names = printed.map { $0.split(separator: ":")[0].drop { $0 == " " } }
        #expect(!read.counters.isEmpty && read.counters.map(\.name) == names.map(String.init))
        // The peer's interface index, a counter that traffic does not change.
        let peer = try pair.interface(.right)
        #expect(read["peer_ifindex"] == UInt64(peer.index) && read.missedStamps.isEmpty)
    }

    @Test("The driver's description is what `ethtool -i` prints, and a veth has no rings")
    func driver() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.left)
        let driver = try pair.enter(.left) { () throws(SystemError) in try DriverInformation(of: interface) }
        let printed = try pair.output(.left, ["ethtool", "-i", interface.name])
        for line in ["driver: veth", "version: \(driver.version)", "firmware-version: ", "bus-info: "] {
            #expect(printed.contains(line + "\n"), "\(printed)")
        }
        #expect(driver.name == "veth" && driver.firmware.isEmpty && driver.bus.isEmpty)
        let rings = errorCode { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in _ = try RingSizes(of: interface) }
        }
        #expect(rings == EOPNOTSUPP)
        let stamping = errorCode { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in _ = try HardwareStampingConfiguration(of: interface) }
        }
        #expect(stamping == EOPNOTSUPP)
    }

    @Test("A missing interface gives ENODEV, and the loopback, which has no statistics, EOPNOTSUPP")
    func errors() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.left)
        // Not in this namespace.
        #expect(errorCode { () throws(SystemError) in _ = try DriverStatistics(of: "nosuch0", call: nil) } == ENODEV)
        try pair.ip(.left, "link del \(interface.name)")
        let code = errorCode { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in _ = try DriverStatistics(of: interface) }
        }
        #expect(code == ENODEV)
        let loopback = try pair.interface(.right, named: "lo")
        let none = errorCode { () throws(SystemError) in
            try pair.enter(.right) { () throws(SystemError) in _ = try DriverStatistics(of: loopback) }
        }
        #expect(none == EOPNOTSUPP)
    }

    @Test(
        "meansBusy holds for counters of timestamps skipped by a busy NIC, and not for other misses",
        arguments: [
            ("tx_hwtstamp_skipped", true), ("ptp_skip_txts", true), ("ptp_skipped_tx_tstamp", true),
            ("port.tx_hwtstamp_skipped", true), ("tx_hwtstamp_timeouts", false), ("tx_hwtstamp_flushed", false),
            ("ptp_cq0_lost_cqe", false),
        ])
    func busy(name: String, meansBusy: Bool) {
        let counter = DriverStatistics.Counter(name: name, value: 1)
        #expect(counter.meansBusy == meansBusy)
        #expect(DriverStatistics(counters: [counter]).missedStamps.count == 1)
    }
}
