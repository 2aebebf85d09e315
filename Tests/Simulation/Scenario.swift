import STAMPSession

/// Everything that a run consists of. ``init(seed:)`` draws it; a test changes what it is about.
struct Scenario {
    /// One host: its clock, its kernel, and how its application runs.
    struct Host {
        /// CLOCK_REALTIME minus true time, and the rate in parts per billion, at the begin.
        var offset: Int64 = 0
        var rate: Int64 = 0
        /// The largest change of the rate in each 100 ms.
        var wander: Int64 = 0
        /// Steps of CLOCK_REALTIME: times after the begin, and sizes.
        var steps: [(time: Int64, amount: Int64)] = []
        var isSynchronized = false
        /// True if the stated error follows the clock's distance from true time.
        var tracksError = false
        /// True if T1, T2 and T3 are in the PTP format.
        var usesPTPFormat = false
        var kernel = SimulatedKernel()
        var latency: Int64 = 5_000
        var callTime: Int64 = 800
        /// Times after the begin in which the application does not run, and in which the host is suspended.
        var stalls: [Range<Int64>] = []
        var suspensions: [Range<Int64>] = []
        var advancesFirst = false
    }

    /// The implementations of a session-reflector.
    enum Reflector: Equatable {
        /// The real one.
        case paired
        /// Foreign ones: a stateful one without TLVs, one with Follow-Up Telemetry, and one without a count.
        case stateful, followUp, stateless
        /// The real one, whose replies are damaged, replayed and invented.
        case hostile
    }

    /// The senders of a session, if there are several.
    enum Senders: Equatable {
        case ports, ssids
    }

    var seed: UInt64
    /// The true time at which the run begins, in Unix nanoseconds.
    var begin: Int64 = 1_750_000_000_123_456_789
    var local = Host()
    var remote = Host()
    /// True if both ends run on one host.
    var isOneHost = false
    var forward = SimulatedPath()
    var reverse = SimulatedPath()
    var reflector = Reflector.paired
    var senders = 1
    var distinguishes = Senders.ports
    var reflectorWritesRows = true
    /// Times after the begin at which the reflector restarts, and the time that it takes.
    var restarts: [Int64] = []
    var restartTime: Int64 = 50_000_000
    var schedule = SchedulePattern.periodic
    var interval: Int64 = 1_000_000
    var timeout: Int64 = 1_000_000_000
    var count: UInt64? = 100
    /// The time after the begin of a request to stop.
    var stop: (time: Int64, kind: SessionSender.Stop)?
    var usesHardwareOnly = false
    /// The largest number of packets in one send call.
    var batch = 8

    /// Two hosts with exact clocks and all software timestamps, 1 ms apart, and 100 probes that all are answered.
    static func plain(seed: UInt64 = 1) -> Scenario { Scenario(seed: seed, begin: 1_750_000_000_123_456_789) }

    /// The expected duration, in nanoseconds: opening, probes, and twice the timeout.
    var duration: Int64 { 60_000_000 + interval * Int64(count ?? 100) + 2 * timeout }
}

extension Scenario: CustomStringConvertible {
    var description: String {
        """
        seed \(seed): \(reflector), \(senders) sender(s)\(senders > 1 ? " by \(distinguishes)" : ""), \(schedule), \
        interval \(interval), timeout \(timeout), count \(count.map(String.init) ?? "-"), stop \(stop as Any? ?? "-"), \
        begin \(begin), \(isOneHost ? "one host" : "two hosts"), restarts \(restarts) of \(restartTime), \
        hardware only: \(usesHardwareOnly), batch \(batch), rows: \(reflectorWritesRows)
          forward \(forward)
          reverse \(reverse)
          local \(local)
          remote \(remote)
        """
    }
}
