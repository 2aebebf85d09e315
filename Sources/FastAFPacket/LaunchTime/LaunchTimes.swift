import CLinux
import Glibc
import LinuxKernel

/// The clock and the mode of launch times: ``SendOptions/launchTime``.
///
/// The packet scheduler keeps launch times if its queueing discipline is etf, or fq with ``Clock/monotonic``. Other
/// queueing disciplines send at once and report nothing. Source: SO_TXTIME in linux/net_tstamp.h, tc-etf(8).
public struct LaunchTimes: Hashable, Sendable {
    /// The clock of the launch times, in nanoseconds: it must be the queueing discipline's clock.
    public enum Clock: Hashable, Sendable {
        /// International Atomic Time, without leap seconds; used by etf. Needs CAP_NET_ADMIN.
        case tai
        /// Time since the host started; used by fq.
        case monotonic
        /// The time of day. Needs CAP_NET_ADMIN.
        case realtime

        var number: clockid_t {
            switch self {
            case .tai: CLOCK_TAI
            case .monotonic: CLOCK_MONOTONIC
            case .realtime: CLOCK_REALTIME
            }
        }
    }

    public var clock: Clock
    /// True if the launch time is the latest time to send, not the earliest; etf's `deadline_mode` must be set
    /// accordingly.
    public var isDeadline: Bool
    /// True if packets dropped because of their launch times are reported: ``StampBatch/forEachLaunchError(_:)``.
    public var reportsErrors: Bool

    public init(_ clock: Clock, isDeadline: Bool = false, reportsErrors: Bool = true) {
        self.clock = clock
        self.isDeadline = isDeadline
        self.reportsErrors = reportsErrors
    }

    /// The value of SO_TXTIME.
    var raw: sock_txtime {
        var raw = sock_txtime()
        raw.clockid = clock.number
        if isDeadline { raw.flags |= UInt32(SOF_TXTIME_DEADLINE_MODE.rawValue) }
        if reportsErrors { raw.flags |= UInt32(SOF_TXTIME_REPORT_ERRORS.rawValue) }
        return raw
    }
}

extension Descriptor {
    /// Allows sends to carry launch times.
    ///
    /// - Throws: `SystemError` EPERM for a clock that the process may not use.
    package func allow(_ launchTimes: LaunchTimes) throws(SystemError) {
        do throws(SystemError) {
            try setOption("allow launch times", level: SOL_SOCKET, name: SO_TXTIME, to: launchTimes.raw)
        } catch  where error.code == EPERM {
            throw error.advising(
                "Clocks other than monotonic need CAP_NET_ADMIN: run as root, or `setcap cap_net_raw,cap_net_admin+ep`."
            )
        }
    }
}
