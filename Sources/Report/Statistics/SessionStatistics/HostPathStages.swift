/// A stage of a packet's way through a host, between two stamps of the same host.
public enum HostPathStage: UInt8, Sendable, Hashable, CaseIterable {
    /// From the sending program to the queueing discipline.
    case appToSched
    /// From the queueing discipline to the driver.
    case schedToDriver
    /// From the driver to the sending card.
    case driverToCard
    /// From the receiving card to the kernel.
    case cardToSoftware
    /// From the kernel to the receiving program.
    case softwareToApp

    /// The name of the stage's metric in the exports.
    public var text: String {
        switch self {
        case .appToSched: "app_to_sched"
        case .schedToDriver: "sched_to_driver"
        case .driverToCard: "driver_to_card"
        case .cardToSoftware: "card_to_software"
        case .softwareToApp: "software_to_app"
        }
    }

    /// The name of the stage in tables.
    public var label: String {
        switch self {
        case .appToSched: "app to sched"
        case .schedToDriver: "sched to driver"
        case .driverToCard: "driver to card"
        case .cardToSoftware: "card to software"
        case .softwareToApp: "software to app"
        }
    }
}

/// A histogram for each stage of the host path, in nanoseconds. A negative value is kept: stamps of one host can
/// disagree when its clock was set back between them.
public struct HostPathStages: Sendable {
    /// From the sending program to the queueing discipline.
    public private(set) var appToSched = SignedHistogram()
    /// From the queueing discipline to the driver.
    public private(set) var schedToDriver = SignedHistogram()
    /// From the driver to the sending card, where its stamps could be converted to the host's clock.
    public private(set) var driverToCard = SignedHistogram()
    /// From the receiving card to the kernel, where its stamps could be converted to the host's clock.
    public private(set) var cardToSoftware = SignedHistogram()
    /// From the kernel to the receiving program.
    public private(set) var softwareToApp = SignedHistogram()
    /// The largest bound of the error of a converted card stamp, in nanoseconds; nil without one.
    public private(set) var largestCardError: Int64?

    init() {}

    /// The histogram of one stage.
    public subscript(stage: HostPathStage) -> SignedHistogram {
        switch stage {
        case .appToSched: appToSched
        case .schedToDriver: schedToDriver
        case .driverToCard: driverToCard
        case .cardToSoftware: cardToSoftware
        case .softwareToApp: softwareToApp
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
            softwareToApp.record(stage)
        }
        if let stage = difference(from: record.transmitSoftware, to: record.transmitHardwareRealtime) {
            driverToCard.record(stage)
            learn(cardError: record.transmitHardwareError)
        }
        if let stage = difference(from: record.receiveHardwareRealtime, to: record.receiveSoftware) {
            cardToSoftware.record(stage)
            learn(cardError: record.receiveHardwareError)
        }
    }

    private mutating func learn(cardError error: Int64?) {
        if let error { largestCardError = max(largestCardError ?? error, error) }
    }
}
