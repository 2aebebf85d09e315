import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink
import NetworkAddresses

/// Everything that `probe doctor` has determined. Findings, text and JSON are functions of it.
struct Diagnosis: Hashable, Sendable {
    var version: String
    var host: HostFacts
    var interfaces: [InterfaceFacts]
}

/// The facts that all interfaces share.
struct HostFacts: Hashable, Sendable {
    var name: String
    /// The kernel's release.
    var kernel: String
    /// The capabilities that the process holds.
    var capabilities: Set<Host.Capability>
    var settings: [Setting]
    /// True if the kernel accepts a timestamp ID with each packet (Linux 6.13); otherwise it counts packets.
    var acceptsIdentifiers: Bool
    /// Running daemons that configure NICs' timestamping or set clocks.
    var timeDaemons: [RunningProcess]

    /// A kernel setting by its sysctl name. The value is `nil` where this network namespace does not show it.
    struct Setting: Hashable, Sendable {
        var name: String
        var value: String?
    }

    func setting(_ name: String) -> Int? { settings.first { $0.name == name }?.value.flatMap { Int($0) } }
}

/// One interface: what it advertises, and the results of the trials.
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
    /// The NIC's timestamping configuration before the trials.
    var stamping: Fact<HardwareStampingConfiguration>
    /// The queueing disciplines; empty if they cannot be read.
    var queueing: [QueueingDiscipline]
    /// The driver's counters of missed timestamps; empty if it keeps none.
    var missed: [MissedStamps]
    var clock: ClockObservation
    var frames: Attempt<FrameTrial>
    var launch: Attempt<LaunchTrial>

    struct MissedStamps: Hashable, Sendable {
        var name: String
        var total: UInt64
        /// The part of the total that was counted during the trials.
        var meanwhile: UInt64
    }
}

/// The outcome of a trial, or the reason why it was not made.
enum Attempt<Outcome: Hashable & Sendable>: Hashable, Sendable {
    case notTried(String)
    case made(Outcome)

    var outcome: Outcome? { if case .made(let outcome) = self { outcome } else { nil } }
}

/// The result of readings of a PHC against the system clock.
enum ClockObservation: Hashable, Sendable {
    /// The NIC has no PHC, or reports none.
    case none
    case unreadable(index: Int32, SystemError)
    case read(index: Int32, Course)

    enum Course: Hashable, Sendable {
        /// The PHC's seconds per second of the system clock, with the error of that rate.
        case runs(rate: Double, error: Double, method: ClockReading.Method)
        /// The PHC does not advance.
        case standsStill
        /// One of the two clocks was set between readings.
        case wasSet
        /// Fewer than two readings were made before an interruption.
        case unknown
    }
}
