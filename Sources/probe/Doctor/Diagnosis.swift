import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink
import NetworkAddresses

/// All that `probe doctor` has found out. Findings, text and JSON are functions of it.
struct Diagnosis: Hashable, Sendable {
    var version: String
    var host: HostFacts
    var interfaces: [InterfaceFacts]
}

/// What is the same for all interfaces.
struct HostFacts: Hashable, Sendable {
    var name: String
    /// The kernel's release.
    var kernel: String
    /// Those of ``Host/Capability`` that the process holds.
    var capabilities: Set<Host.Capability>
    var settings: [Setting]
    /// Whether the kernel takes an id with each send (Linux 6.13), or only counts.
    var takesIdentifiers: Bool
    /// Programs that set NICs' timestamping or clocks.
    var timeDaemons: [RunningProcess]

    /// A kernel setting by sysctl's name; `nil` where this network namespace does not show it.
    struct Setting: Hashable, Sendable {
        var name: String
        var value: String?
    }

    func setting(_ name: String) -> Int? { settings.first { $0.name == name }?.value.flatMap { Int($0) } }
}

/// One interface: what it says of itself, and what came of trying.
struct InterfaceFacts: Hashable, Sendable {
    typealias Fact<Value> = Result<Value, SystemError>

    var name: String
    var macAddress: MACAddress
    var mtu: Int
    var isUp: Bool
    var hasCarrier: Bool
    var driver: Fact<DriverInformation>
    var rings: Fact<RingSizes>
    var capabilities: Fact<TimestampingCapabilities>
    /// How the NIC's timestamping was set before anything was tried.
    var stamping: Fact<HardwareStampingConfiguration>
    /// Empty where they can't be read.
    var queueing: [QueueingDiscipline]
    /// Counters of timestamps that the NIC has missed; empty where the driver keeps none.
    var missed: [MissedStamps]
    var clock: ClockObservation
    var frames: Attempt<FrameTrial>
    var launch: Attempt<LaunchTrial>

    struct MissedStamps: Hashable, Sendable {
        var name: String
        var total: UInt64
        /// Of these, while we tried.
        var meanwhile: UInt64
    }
}

/// Something that was tried, or the reason why not.
enum Attempt<Outcome: Hashable & Sendable>: Hashable, Sendable {
    case notTried(String)
    case made(Outcome)

    var outcome: Outcome? { if case .made(let outcome) = self { outcome } else { nil } }
}

/// What readings of a PHC beside the system's say.
enum ClockObservation: Hashable, Sendable {
    /// The NIC has no clock, or none that it tells of.
    case none
    case unreadable(index: Int32, SystemError)
    case read(index: Int32, Course)

    enum Course: Hashable, Sendable {
        /// Seconds of the PHC for each of the system's, and how far off that can be.
        case runs(rate: Double, error: Double, method: ClockReading.Method)
        case standsStill
        /// One of the two clocks was set between readings.
        case wasSet
        /// Interrupted before there were two readings.
        case unknown
    }
}
