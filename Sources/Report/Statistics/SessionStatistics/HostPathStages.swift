/// A stage of a packet's path through a host, between two timestamps of that host.
public enum HostPathStage: UInt8, Sendable, Hashable, CaseIterable {
    /// From the sending application to the queueing discipline.
    case appToSched
    /// From the queueing discipline to the driver.
    case schedToDriver
    /// From the driver to the sending NIC.
    case driverToNIC
    /// From the receiving NIC to the kernel.
    case nicToKernel
    /// From the kernel to the receiving application.
    case kernelToApp

    /// The name of the stage in the packet log and in JSON.
    public var text: String {
        switch self {
        case .appToSched: "app_to_sched"
        case .schedToDriver: "sched_to_driver"
        case .driverToNIC: "driver_to_nic"
        case .nicToKernel: "nic_to_kernel"
        case .kernelToApp: "kernel_to_app"
        }
    }

    /// The name in version 0.1.0, which the histogram export keeps and JSON has in addition; nil if it is the same.
    public var formerText: String? {
        switch self {
        case .appToSched, .schedToDriver: nil
        case .driverToNIC: "driver_to_card"
        case .nicToKernel: "card_to_software"
        case .kernelToApp: "software_to_app"
        }
    }

    /// The stage's metric in the histogram export.
    var metric: String { formerText ?? text }

    /// The name of the stage in tables.
    public var label: String {
        switch self {
        case .appToSched: "app to sched"
        case .schedToDriver: "sched to driver"
        case .driverToNIC: "driver to NIC"
        case .nicToKernel: "NIC to kernel"
        case .kernelToApp: "kernel to app"
        }
    }
}

/// A histogram for each stage of the host path, in nanoseconds. Values can be negative if a clock was set back between
/// two timestamps of a host.
public struct HostPathStages: Sendable {
    /// From the sending application to the queueing discipline.
    public private(set) var appToSched = SignedHistogram()
    /// From the queueing discipline to the driver.
    public private(set) var schedToDriver = SignedHistogram()
    /// From the driver to the sending NIC, if its timestamps could be converted to the host's clock.
    public private(set) var driverToNIC = SignedHistogram()
    /// From the receiving NIC to the kernel, if its timestamps could be converted to the host's clock.
    public private(set) var nicToKernel = SignedHistogram()
    /// From the kernel to the receiving application.
    public private(set) var kernelToApp = SignedHistogram()
    /// The largest error bound of a converted NIC timestamp, in nanoseconds; nil if there is none.
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
        if let time = record[.appToSched] { appToSched.record(time) }
        if let time = record[.schedToDriver] { schedToDriver.record(time) }
        if let time = record[.kernelToApp] { kernelToApp.record(time) }
        if let time = record[.driverToNIC] {
            driverToNIC.record(time)
            update(conversionError: record.transmitHardwareError)
        }
        if let time = record[.nicToKernel] {
            nicToKernel.record(time)
            update(conversionError: record.receiveHardwareError)
        }
    }

    private mutating func update(conversionError error: Int64?) {
        if let error { largestConversionError = max(largestConversionError ?? error, error) }
    }
}
