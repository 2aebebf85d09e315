import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink
import NetworkAddresses

@testable import probe

/// Diagnoses of simulated NICs and hosts.
enum Diagnoses {
    static let host = HostFacts(
        name: "host", kernel: "6.13.0", capabilities: Set(Host.Capability.allCases),
        settings: [
            .init(name: "net.core.rmem_max", value: "4194304"), .init(name: "net.core.tstamp_allow_data", value: "1"),
            .init(name: "net.core.default_qdisc", value: nil),
            .init(name: "net.ipv4.ip_unprivileged_port_start", value: "1024"),
        ], acceptsIdentifiers: true, timeDaemons: [])

    static func diagnosis(_ interfaces: InterfaceFacts..., host: HostFacts = host) -> Diagnosis {
        Diagnosis(version: "1.0", host: host, interfaces: interfaces)
    }

    /// EOPNOTSUPP, for what a driver does not support.
    static let unsupported = SystemError("ask", code: 95)
    static let off = HardwareStampingConfiguration.off
    static let on = HardwareStampingConfiguration(transmitType: 1, receiveFilter: 0)
    static let all = HardwareStampingConfiguration(transmitType: 1, receiveFilter: 1)
    static let ptpOnly = HardwareStampingConfiguration(transmitType: 1, receiveFilter: 12)

    private static func interface(
        _ name: String, _ driver: DriverInformation, flags: UInt32, queueing: String
    ) -> InterfaceFacts {
        InterfaceFacts(
            name: name, macAddress: MACAddress(rawValue: 0x0200_0000_0001), mtu: 1500, isUp: true, hasCarrier: true,
            driver: .success(driver), rings: .failure(unsupported),
            capabilities: .success(TimestampingCapabilities(flags: flags)), stamping: .failure(unsupported),
            queueing: [QueueingDiscipline(kind: queueing, handle: 0, parent: QueueingDiscipline.root)], missed: [],
            clock: .none, frames: .made(softwareTrial),
            launch: .made(LaunchTrial(clock: .monotonic, outcome: .left(after: -99_900_000))))
    }

    /// A trial with all software timestamps: of 12 ordinary frames (probes included), 4 PTP frames and 4 replies.
    static var softwareTrial: FrameTrial {
        var trial = FrameTrial()
        trial.ordinary = .init(frames: 12, sched: 12, software: 12, hardware: 0)
        trial.ptp = .init(frames: 4, sched: 4, software: 4, hardware: 0)
        trial.receivedOrdinary = .init(frames: 4, software: 4, hardware: 0)
        trial.peer = .init(probes: 4, replies: 4)
        trial.matchedStamps = 32
        return trial
    }

    static var veth: InterfaceFacts {
        interface("veth0", DriverInformation(name: "veth", version: "1.0"), flags: 0x1A, queueing: "noqueue")
    }

    static var virtio: InterfaceFacts {
        var facts = interface(
            "eth0", DriverInformation(name: "virtio_net", version: "1.0.0", bus: "0000:00:03.0"), flags: 0x1A,
            queueing: "fq_codel")
        facts.rings = .success(RingSizes(receive: 256, receiveLimit: 256, transmit: 256, transmitLimit: 256))
        return facts
    }

    /// A NIC with hardware timestamping that was off, and is switched on for the trial.
    private static func nic(
        _ driver: DriverInformation, filters: UInt32, granted: HardwareStampingConfiguration, rate: Double
    ) -> InterfaceFacts {
        var facts = interface("eth0", driver, flags: 0x5F, queueing: "mq")
        facts.queueing.append(QueueingDiscipline(kind: "fq_codel", handle: 0, parent: 1))
        facts.rings = .success(RingSizes(receive: 256, receiveLimit: 4096, transmit: 256, transmitLimit: 4096))
        facts.capabilities = .success(
            TimestampingCapabilities(flags: 0x5F, transmitTypes: 3, receiveFilters: filters, clockIndex: 0))
        facts.stamping = .success(off)
        facts.clock = .read(index: 0, .runs(rate: rate, error: 4e-6, method: .extended))
        facts.missed = [
            .init(name: "tx_hwtstamp_timeouts", total: 0, meanwhile: 0),
            .init(name: "tx_hwtstamp_skipped", total: 0, meanwhile: 0),
        ]
        var trial = softwareTrial
        trial.stamping = .switchedOn(granted, previous: off)
        facts.frames = .made(trial)
        return facts
    }

    static var igb: InterfaceFacts {
        var facts = nic(
            DriverInformation(name: "igb", version: "6.12.0", firmware: "1.3, 0x8d9a", bus: "0000:00:03.0"),
            filters: 1 << 0 | 1 << 4 | 1 << 5 | 1 << 12, granted: ptpOnly, rate: 1.000012)
        facts.change {
            $0.ordinary.hardware = 12
            $0.ptp.hardware = 4
            $0.receivedPTP = .init(frames: 4, software: 4, hardware: 1)
            $0.matchedStamps = 48
        }
        return facts
    }

    static var e1000e: InterfaceFacts {
        var facts = nic(
            DriverInformation(name: "e1000e", version: "6.12.0", firmware: "1.8-0", bus: "0000:00:03.0"),
            filters: 0xFFFF, granted: all, rate: 2.504)
        facts.change { $0.receivedPTP = .init(frames: 4, software: 4, hardware: 0) }
        return facts
    }

    /// A NIC that supports all frames, with the configuration that another process has set.
    static func held(_ current: HardwareStampingConfiguration) -> InterfaceFacts {
        var facts = nic(
            DriverInformation(name: "ice", version: "6.12.0", bus: "0000:18:00.0"), filters: 3, granted: current,
            rate: 1
        )
        facts.stamping = .success(current)
        facts.change {
            $0.stamping = .borrowed(current)
            $0.ordinary.hardware = current.transmitType == 1 ? 12 : 0
            $0.ptp.hardware = current.transmitType == 1 ? 4 : 0
            $0.receivedPTP = .init(frames: 4, software: 4, hardware: current.receiveFilter > 0 ? 4 : 0)
            $0.receivedOrdinary.hardware = current.receiveFilter == 1 ? 4 : 0
        }
        return facts
    }

    static var daemons: HostFacts {
        var host = host
        host.timeDaemons = [
            RunningProcess(id: 811, name: "ptp4l", arguments: ["ptp4l", "-i", "eth7"]),
            RunningProcess(id: 812, name: "ptp4l", arguments: ["/usr/sbin/ptp4l", "-i", "eth0"]),
            RunningProcess(id: 813, name: "phc2sys", arguments: ["phc2sys", "-a"]),
        ]
        return host
    }

    /// A container without capabilities, in which no settings are visible.
    static var container: Diagnosis {
        var host = host
        host.capabilities = []
        host.settings = HostFacts.settingNames.map { .init(name: $0, value: nil) }
        var facts = veth
        facts.frames = .notTried("CAP_NET_RAW is missing")
        facts.launch = .notTried("CAP_NET_RAW is missing")
        return diagnosis(facts, host: host)
    }
}

extension InterfaceFacts {
    /// Changes the result of the frame trial.
    mutating func change(_ body: (inout FrameTrial) -> Void) {
        guard var trial = frames.outcome else { return }
        body(&trial)
        frames = .made(trial)
    }
}
