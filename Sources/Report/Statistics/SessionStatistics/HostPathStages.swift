/// A stage of a packet's way through a host, between two timestamps of the same host.
public enum HostPathStage: UInt8, Sendable, Hashable, CaseIterable {
    /// From the sending program to the queueing discipline.
    case appToSched
    /// From the queueing discipline to the driver.
    case schedToDriver
    /// From the driver to the sending NIC.
    case driverToNIC
    /// From the receiving NIC to the kernel.
    case nicToKernel
    /// From the kernel to the receiving program.
    case kernelToApp

    /// The name of the stage's metric in the exports.
    public var text: String {
        switch self {
        case .appToSched: "app_to_sched"
        case .schedToDriver: "sched_to_driver"
        case .driverToNIC: "driver_to_card"
        case .nicToKernel: "card_to_software"
        case .kernelToApp: "software_to_app"
        }
    }

    /// The name of the stage in tables.
    public var label: String {
        switch self {
        case .appToSched: "app to sched"
        case .schedToDriver: "sched to driver"
        case .driverToNIC: "driver to NIC"
        case .nicToKernel: "NIC to software"
        case .kernelToApp: "software to app"
        }
    }
}

/// A histogram for each stage of the host path, in nanoseconds. A negative value is kept: timestamps of one host can
/// disagree when its clock was set back between them.
public struct HostPathStages: Sendable {
    /// From the sending program to the queueing discipline.
    public private(set) var appToSched = SignedHistogram()
    /// From the queueing discipline to the driver.
    public private(set) var schedToDriver = SignedHistogram()
    /// From the driver to the sending NIC, where its timestamps could be converted to the host's clock.
    public private(set) var driverToNIC = SignedHistogram()
    /// From the receiving NIC to the kernel, where its timestamps could be converted to the host's clock.
    public private(set) var nicToKernel = SignedHistogram()
    /// From the kernel to the receiving program.
    public private(set) var kernelToApp = SignedHistogram()
    /// The largest bound of the error of a converted NIC timestamp, in nanoseconds; nil without one.
    public private(set) var largestConversionError: Int64?

    init() {}

    /// The histogram of one stage.
    public subscript(stage: HostPathStage) -> SignedHistogram {
        switch stage {
        case .appToSched: appToSched
        case .schedToDriver: schedToDriver
        case .driverToNIC: driverToNIC
        case .nicToKernel: nicToKernel
        case .kernelToApp: kernelToApp
        }
    }

    @inline(__always)
    mutating func add(_ record: PacketRecord) {
        if let stage = difference(from: record.transmitApp, to: record.transmitSched) {
            appToSched.record(stage)
        }
        if let stage = difference(from: record.transmitSched, to: record.transmitSoftware) {
            schedToDriver.record(stage)
        }
        if let stage = difference(from: record.receiveSoftware, to: record.receiveApp) {
            kernelToApp.record(stage)
        }
        if let stage = difference(from: record.transmitSoftware, to: record.transmitHardwareRealtime) {
            driverToNIC.record(stage)
            update(conversionError: record.transmitHardwareError)
        }
        if let stage = difference(from: record.receiveHardwareRealtime, to: record.receiveSoftware) {
            nicToKernel.record(stage)
            update(conversionError: record.receiveHardwareError)
        }
    }

    private mutating func update(conversionError error: Int64?) {
        if let error { largestConversionError = max(largestConversionError ?? error, error) }
    }
}
