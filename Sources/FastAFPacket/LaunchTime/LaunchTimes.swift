import CLinux
import Glibc
import LinuxKernel

/// How the launch times of sends are meant: ``SendOptions/launchTime``.
///
/// The packet scheduler keeps them, if its queueing discipline is etf, or fq with ``Clock/monotonic``; others send at once
/// and tell nobody. Source: SO_TXTIME in linux/net_tstamp.h, tc-etf(8).
public struct LaunchTimes: Hashable, Sendable {
    /// The clock whose nanoseconds launch times are: the queueing discipline's own.
    public enum Clock: Hashable, Sendable {
        /// International atomic time, without leap seconds: etf's. Needs CAP_NET_ADMIN.
        case tai
        /// Time since the host started: fq's.
        case monotonic
        /// Time of day. Needs CAP_NET_ADMIN.
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
    /// Whether a packet may be sent before its time, which is its last moment then: as etf's `deadline_mode` says too.
    public var isDeadline: Bool
    /// Whether packets that are dropped for their times are told of: ``StampBatch/forEachLaunchError(_:)``.
    public var reportsErrors: Bool

    public init(_ clock: Clock, isDeadline: Bool = false, reportsErrors: Bool = true) {
        self.clock = clock
        self.isDeadline = isDeadline
        self.reportsErrors = reportsErrors
    }

    /// The option's value.
    var raw: sock_txtime {
        var raw = sock_txtime()
        raw.clockid = clock.number
        if isDeadline { raw.flags |= UInt32(SOF_TXTIME_DEADLINE_MODE.rawValue) }
        if reportsErrors { raw.flags |= UInt32(SOF_TXTIME_REPORT_ERRORS.rawValue) }
        return raw
    }
}

extension Descriptor {
    /// Lets sends have launch times.
    ///
    /// - Throws: `SystemError` EPERM for a clock that the process may not name.
    package func allow(_ launchTimes: LaunchTimes) throws(SystemError) {
        do throws(SystemError) {
            try setOption("allow launch times", level: SOL_SOCKET, name: SO_TXTIME, to: launchTimes.raw)
        } catch  where error.code == EPERM {
            throw error.advising(
                "Clocks but monotonic need CAP_NET_ADMIN: run as root, or `setcap cap_net_raw,cap_net_admin+ep`.")
        }
    }
}
