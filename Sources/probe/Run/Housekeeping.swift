import FastAFPacket
import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import Report
import STAMPWire

/// What changes around a session and is looked at each second, away from the packet threads.
enum Housekeeping {
    /// The local clock's error, as the wire carries it.
    static func errorEstimate() -> UInt16 {
        guard let quality = ClockQuality.current() else { return unknownError }
        return ErrorEstimate(
            synchronized: quality.isSynchronized, isPTP: false, errorNanoseconds: quality.maximumError
        ).rawValue
    }

    /// What the wire carries of a clock that nobody vouches for.
    static let unknownError =
        ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 16_000_000_000).rawValue

    /// Calls `body` again and again until cancelled, each time after a pause.
    static func every(_ pause: Duration, _ body: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: pause)) != nil { body() }
        }
    }

    /// Follows the PHC until cancelled.
    static func watch(_ nic: NIC, _ logger: Logger) -> Task<Void, Never> {
        every(NIC.interval) {
            guard let step = nic.read() else { return }
            logger.warning(
                "The PHC and the system's were set against one another, by \(exactDurationText(step)).")
        }
    }

    /// The interface's own addresses, that probes may be sent to.
    static func localAddresses(_ interface: Interface) -> [IPAddress] {
        guard let connection = try? NetlinkConnection(),
            let found = try? connection.addresses(on: interface.index)
        else { return [] }
        return found.map(\.address)
    }
}
