/// The two points between which a one-way delay is measured.
///
/// Each distribution has a single basis. A mixture would show where timestamps are missing instead of the path's delay.
public enum DelayBasis: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    // In the order of preference. A run uses either hardware timestamps alone or none, so the rank of NIC to NIC does
    // not matter.

    /// From the sending driver to the receiving kernel.
    case driverToKernel
    /// From the sending packet scheduler to the receiving kernel, since bridges provide no driver timestamp.
    case schedToKernel
    /// From NIC to NIC, both converted to CLOCK_REALTIME.
    case nicToNIC
    /// From the sending driver to the receiving application.
    case driverToApp
    /// From the sending packet scheduler to the receiving application.
    case schedToApp
    /// From the sending application to the receiving kernel.
    case appToKernel
    /// From application to application.
    case appToApp

    /// The basis as text: "driver to kernel".
    public var text: String {
        switch self {
        case .driverToKernel: "driver to kernel"
        case .schedToKernel: "scheduler to kernel"
        case .nicToNIC: "NIC to NIC"
        case .driverToApp: "driver to application"
        case .schedToApp: "scheduler to application"
        case .appToKernel: "application to kernel"
        case .appToApp: "application to application"
        }
    }

    /// The basis as a JSON value: "driver-kernel".
    public var label: String {
        switch self {
        case .driverToKernel: "driver-kernel"
        case .schedToKernel: "sched-kernel"
        case .nicToNIC: "nic-nic"
        case .driverToApp: "driver-app"
        case .schedToApp: "sched-app"
        case .appToKernel: "app-kernel"
        case .appToApp: "app-app"
        }
    }

    /// The delay's clock in the log.
    public var clock: StampKind {
        switch self {
        case .driverToKernel, .schedToKernel: .software
        case .nicToNIC: .hardware
        case .driverToApp, .schedToApp, .appToKernel, .appToApp: .app
        }
    }
}

extension PacketRecord {
    /// The points between which the row's delay is measured; nil without a delay.
    ///
    /// It follows from `delayClock` and the timestamps that are present, by which `computeDelay` chose it.
    public var delayBasis: DelayBasis? {
        guard delay != nil else { return nil }
        switch delayClock {
        case .hardware: return .nicToNIC
        case .software, nil: return transmitSoftware == nil && transmitSched != nil ? .schedToKernel : .driverToKernel
        case .app:
            if receiveSoftware != nil { return .appToKernel }
            return transmitSoftware != nil ? .driverToApp : transmitSched != nil ? .schedToApp : .appToApp
        }
    }
}
