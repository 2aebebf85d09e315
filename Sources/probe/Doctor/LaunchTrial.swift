import FastAFPacket
import LinuxKernel
import Netlink

/// The outcome of sending one frame with a launch time.
struct LaunchTrial: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// The time from the launch time to the driver, in nanoseconds; negative if the driver got the frame earlier.
        case left(after: Int64)
        /// The queueing discipline dropped the frame.
        case dropped(LaunchError.Reason)
        /// The driver transmit timestamp never arrived.
        case unstamped
    }

    /// The time from the send call to the launch time, in nanoseconds.
    static let lead: Int64 = 100_000_000
    /// The longest wait for the timestamp after the launch time, in nanoseconds.
    private static let timeout: Int64 = 300_000_000

    var clock: LaunchTimes.Clock
    var outcome: Outcome

    /// The clock of launch times under these queueing disciplines: CLOCK_TAI for etf and taprio, CLOCK_MONOTONIC for
    /// fq.
    static func clock(for queueing: [QueueingDiscipline]) -> LaunchTimes.Clock {
        queueing.contains { ["etf", "taprio"].contains($0.kind) } ? .tai : .monotonic
    }

    /// Sends one frame to the interface's own address, and waits for its driver transmit timestamp.
    static func run(
        on interface: Interface, clock: LaunchTimes.Clock, stop: StopSignal
    ) throws(SystemError) -> LaunchTrial {
        var configuration = PacketConn.Configuration(dualConn: false)
        configuration.switchHardwareOn = false
        configuration.receiveStamps = false
        configuration.transmitStamps = .software
        configuration.launchTimes = LaunchTimes(clock)
        // Ethertype 0: nothing is received.
        let conn = try PacketConn.listen(on: interface, etherType: 0, configuration: configuration)
        defer { conn.close() }
        let frame = DoctorFrames.ordinary(to: interface.macAddress, from: interface.macAddress)
        var batch = SendBatch(capacity: 1, packetBytes: frame.count)
        // Both clocks are read together, since the timestamp is in CLOCK_REALTIME.
        let (launchTime, realtime) = (clock.now() + lead, ClockID.realtime.now() + lead)
        batch.append(id: 1, options: SendOptions(launchTime: launchTime)) { span in
            for (offset, byte) in frame.enumerated() { span.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self) }
            return frame.count
        }
        _ = try conn.send(&batch)
        return LaunchTrial(clock: clock, outcome: try wait(conn, realtime: realtime, stop))
    }

    private static func wait(
        _ conn: PacketConn, realtime: Int64, _ stop: StopSignal
    ) throws(SystemError) -> Outcome {
        let end = ClockID.monotonic.now() + lead + timeout
        var batch = StampBatch(capacity: 4)
        var outcome: Outcome?
        while outcome == nil, !stop.isRaised, ClockID.monotonic.now() < end {
            let activity = try conn.waitForActivity(until: end, signal: stop.signal)
            // On a single socket, timestamps and errors raise the same flag.
            guard !activity.isDisjoint(with: [.packets, .stamps]) else { continue }
            try conn.receiveTransmitStampsNow(&batch)
            batch.forEach { stamp in
                if let time = stamp.stamps.software { outcome = .left(after: time - realtime) }
            }
            batch.forEachLaunchError { outcome = .dropped($0.reason) }
        }
        return outcome ?? .unstamped
    }
}

extension LaunchTimes.Clock {
    fileprivate func now() -> Int64 {
        switch self {
        case .tai: ClockID.tai.now()
        case .monotonic: ClockID.monotonic.now()
        case .realtime: ClockID.realtime.now()
        }
    }
}
