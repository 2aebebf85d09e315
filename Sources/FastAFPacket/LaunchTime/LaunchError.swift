import CLinux
import Glibc
import LinuxKernel

/// A report that a packet was dropped because of its launch time. Source: report_sock_error() in net/sched/sch_etf.c.
public struct LaunchError: Hashable, Sendable {
    public enum Reason: UInt8, Hashable, Sendable {
        /// The time had already passed or was before that of a packet already sent, or the socket's clock or mode
        /// differs from the queueing discipline's.
        case invalid = 1
        /// The time passed while the packet was waiting.
        case missed = 2
    }

    public var reason: Reason
    /// The packet's launch time as given to the send, which identifies the packet: nanoseconds of the clock in
    /// ``LaunchTimes``.
    public var launchTime: Int64
}

extension LaunchError {
    /// Reads an error-queue message's control data; `nil` for another kind of message.
    init?(_ control: ControlMessages) {
        for message in control {
            guard TransmitStamp.isExtendedError(message), let error = message.load(as: cl_extended_error.self),
                error.ee_origin == UInt8(SO_EE_ORIGIN_TXTIME), let reason = Reason(rawValue: error.ee_code)
            else { continue }
            let time = UInt64(error.ee_data) << 32 | UInt64(error.ee_info)
            self.init(reason: reason, launchTime: Int64(bitPattern: time))
            return
        }
        return nil
    }
}

extension StampBatch {
    /// Calls `body` with each report of a packet dropped because of its launch time, in the queue's order. The reports
    /// arrive with the transmit timestamps and are included in ``count``. O(count), no allocation.
    public func forEachLaunchError(_ body: (LaunchError) -> Void) {
        for index in 0..<messages {
            if let error = LaunchError(storage.receivedControl(index)) { body(error) }
        }
    }
}
