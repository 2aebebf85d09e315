import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink

/// The source of each fact: the kernel, or a test that stands in for it.
struct DoctorSources: Sendable {
    typealias Source<Value> = @Sendable (Interface) throws(SystemError) -> Value

    var driver: Source<DriverInformation>
    var rings: Source<RingSizes>
    var capabilities: Source<TimestampingCapabilities>
    var stamping: Source<HardwareStampingConfiguration>
    var statistics: Source<DriverStatistics>
    /// True if the link has a carrier; `nil` if the kernel does not report it.
    var hasCarrier: @Sendable (Interface) -> Bool?
    var queueing: @Sendable (Interface) -> [QueueingDiscipline]
    var openClock: @Sendable (_ index: Int32) throws(SystemError) -> ClockWatch.Reader
    var frames: @Sendable (Interface, FrameTrialRun.Peer?, StopSignal) throws(SystemError) -> FrameTrial
    var launch: @Sendable (Interface, LaunchTimes.Clock, StopSignal) throws(SystemError) -> LaunchTrial

    static let kernel = DoctorSources(
        driver: { interface throws(SystemError) in try DriverInformation(of: interface) },
        rings: { interface throws(SystemError) in try RingSizes(of: interface) },
        capabilities: { interface throws(SystemError) in try TimestampingCapabilities(of: interface) },
        stamping: { interface throws(SystemError) in try HardwareStampingConfiguration(of: interface) },
        statistics: { interface throws(SystemError) in try DriverStatistics(of: interface) },
        hasCarrier: { interface in
            let connection = try? NetlinkConnection()
            return (try? connection?.link(interface.index))?.hasCarrier
        },
        queueing: { interface in
            let connection = try? NetlinkConnection()
            return (try? connection?.queueingDisciplines(on: interface.index)) ?? []
        },
        openClock: { index throws(SystemError) in
            let clock = OpenClock(try HardwareClock(index: index))
            return { () throws(SystemError) in try clock.clock.read() }
        },
        frames: { interface, peer, stop throws(SystemError) in
            try FrameTrialRun.run(on: interface, peer: peer, stop: stop)
        },
        launch: { interface, clock, stop throws(SystemError) in
            try LaunchTrial.run(on: interface, clock: clock, stop: stop)
        })

    private final class OpenClock: Sendable {
        let clock: HardwareClock
        init(_ clock: consuming HardwareClock) { self.clock = clock }
    }
}

extension HostFacts {
    /// Kernel settings that affect timestamps, by their sysctl names.
    static let settingNames = [
        "net.core.rmem_max", "net.core.tstamp_allow_data", "net.core.default_qdisc",
        "net.ipv4.ip_unprivileged_port_start",
    ]
    private static let timeDaemonNames: Set<String> = [
        "ptp4l", "phc2sys", "ts2phc", "timemaster", "sptp", "ptpd", "ptpd2", "chronyd",
    ]

    /// The facts of this host.
    static func current() -> HostFacts {
        HostFacts(
            name: Host.name, kernel: Host.kernelRelease,
            capabilities: Set(Host.Capability.allCases.filter(Host.has)),
            settings: settingNames.map { name in
                let path = String(name.map { $0 == "." ? "/" : $0 })
                return Setting(name: name, value: Host.setting(path))
            },
            acceptsIdentifiers: PacketConn.kernelTakesIdentifiers,
            timeDaemons: RunningProcess.running(named: timeDaemonNames))
    }
}
