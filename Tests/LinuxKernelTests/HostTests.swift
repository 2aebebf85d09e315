import Glibc
import NetworkAddresses
import Testing

@testable import LinuxKernel

@Suite struct ClockTests {
    @Test func `the monotonic clock never goes back`() {
        var last = ClockID.monotonic.now()
        for _ in 0..<10000 {
            let now = ClockID.monotonic.now()
            #expect(now >= last)
            last = now
        }
    }

    @Test func `every clock agrees with the C library`() {
        let clocks = [
            (ClockID.realtime, CLOCK_REALTIME), (.monotonic, CLOCK_MONOTONIC), (.boottime, CLOCK_BOOTTIME),
            (.tai, CLOCK_TAI),
        ]
        for (clock, number) in clocks {
            let before = clock.now()
            var time = timespec()
            clock_gettime(number, &time)
            let between = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
            #expect(before <= between && between <= clock.now())
        }
    }

    @Test(.enabled(if: ClockQuality.current() != nil, "adjtimex is forbidden here"))
    func `the clock's error bound is not negative and in whole microseconds`() throws {
        let quality = try #require(ClockQuality.current())
        #expect(quality.maximumError >= 0)
        #expect(quality.estimatedError >= 0)
        #expect(quality.maximumError % 1000 == 0)
    }
}

@Suite struct HostTests {
    @Test func `the boot hash is constant and not zero`() {
        #expect(Host.bootHash() == Host.bootHash())
        #expect(Host.bootHash() != 0)
    }

    @Test func `name and kernel release are those of uname`() {
        var name = [CChar](repeating: 0, count: 256)
        #expect(gethostname(&name, name.count) == 0)
        #expect(Host.name == String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        #expect(Host.kernelRelease.split(separator: ".").count >= 2)
        #expect(Host.kernelRelease.first?.isNumber == true)
    }

    @Test func `a setting is read without its newline, and an unknown setting is nil`() {
        #expect(Host.setting("kernel/ostype") == "Linux")
        #expect(Host.setting("net/core/no_such_setting") == nil)
        #expect(Host.setting("net/core") == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root is sure to have the capability"))
    func `root may bind low ports`() {
        #expect(Host.has(.bindService))
    }
}

@Suite struct InterfaceTests {
    @Test func `the loopback interface is found`() throws {
        let loopback = try Interface(named: "lo")
        #expect(loopback.name == "lo")
        #expect(loopback.index == Int32(if_nametoindex("lo")))
        #expect(loopback.isEthernet)
        #expect(loopback.macAddress == .zero)
        #expect(loopback.mtu > 1000)
    }

    @Test func `all interfaces have distinct indexes and include the loopback`() throws {
        let all = try Interface.all()
        #expect(all.contains { $0.name == "lo" })
        #expect(Set(all.map(\.index)).count == all.count)
    }

    @Test(arguments: ["gone0", "", "a-name-that-is-longer-than-the-kernel-allows"])
    func `an unknown name throws ENODEV with a remedy`(name: String) {
        let error = #expect(throws: SystemError.self) { try Interface(named: name) }
        #expect(error?.code == ENODEV)
        #expect(error?.description.contains("`ip link`") == true)
    }
}
