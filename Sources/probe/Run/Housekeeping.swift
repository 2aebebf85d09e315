import FastAFPacket
import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import Report
import STAMPWire

/// Periodic checks of a session's surroundings, outside the packet threads.
enum Housekeeping {
    /// The local clock's error estimate in its wire format.
    static func errorEstimate() -> UInt16 {
        guard let quality = ClockQuality.current() else { return unknownError }
        return ErrorEstimate(
            synchronized: quality.isSynchronized, isPTP: false, errorNanoseconds: quality.maximumError
        ).rawValue
    }

    /// The error estimate of an unsynchronised clock, in its wire format.
    static let unknownError =
        ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: 16_000_000_000).rawValue

    /// Calls `body` repeatedly until cancelled, each time after a pause.
    static func every(_ pause: Duration, _ body: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: pause)) != nil { body() }
        }
    }

    /// Reads the PHC periodically until cancelled, and reports its steps.
    static func watch(_ nic: NIC, _ logger: Logger) -> Task<Void, Never> {
        every(NIC.interval) {
            guard let step = nic.read() else { return }
            logger.warning(
                "The PHC's offset from the system clock changed by \(exactDurationText(step)): one of them was set.")
        }
    }

    /// The interface's addresses, which probes may be sent to.
    static func localAddresses(_ interface: Interface) -> [IPAddress] {
        guard let connection = try? NetlinkConnection(),
            let found = try? connection.addresses(on: interface.index)
        else { return [] }
        return found.map(\.address)
    }
}
