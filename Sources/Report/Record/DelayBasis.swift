/// The two points that a one-way delay is measured between.
///
/// One distribution is of one basis: a mixture would show where timestamps were missing, and not what the path did.
public enum DelayBasis: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    // In the order of preference. A run measures by NICs alone or not at all, so their place among the kernel's does
    // not matter.

    /// From the sending driver to the receiving kernel.
    case driverToKernel
    /// From the sending packet scheduler to the receiving kernel: bridges give no driver timestamp.
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

    /// The basis in words: "driver to kernel".
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

    /// The basis as a value in JSON: "driver-kernel".
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

    /// The clock that the log names for such a delay.
    public var clock: StampKind {
        switch self {
        case .driverToKernel, .schedToKernel: .software
        case .nicToNIC: .hardware
        case .driverToApp, .schedToApp, .appToKernel, .appToApp: .app
        }
    }
}

extension PacketRecord {
    /// The points that the row's delay is measured between; nil without a delay.
    ///
    /// It follows from `delayClock` and from the timestamps that are present, which is how `computeDelay` chose them.
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
