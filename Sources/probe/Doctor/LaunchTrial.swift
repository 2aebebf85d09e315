import FastAFPacket
import LinuxKernel
import Netlink

/// What became of a frame that was to leave at a time of its own.
struct LaunchTrial: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// The driver got it so many nanoseconds after that time; before it where below zero.
        case left(after: Int64)
        /// The queueing discipline refused it.
        case dropped(LaunchError.Reason)
        /// The driver's timestamp did not come.
        case unstamped
    }

    /// How long before its time it was handed in, in nanoseconds.
    static let lead: Int64 = 100_000_000
    /// How long after it its timestamp is waited for.
    private static let timeout: Int64 = 300_000_000

    var clock: LaunchTimes.Clock
    var outcome: Outcome

    /// etf keeps atomic time, fq the monotonic clock's.
    static func clock(for queueing: [QueueingDiscipline]) -> LaunchTimes.Clock {
        queueing.contains { ["etf", "taprio"].contains($0.kind) } ? .tai : .monotonic
    }

    /// Sends one frame, to the interface's own address, and waits for the driver's timestamp.
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
        // Both clocks at about one moment: the timestamp is CLOCK_REALTIME's.
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
            // Of one socket, timestamps and errors raise the same flag.
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
