import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// One wait for the packets and transmit timestamps of several connections, for a thread that serves all of them.
///
/// Each wait is one ppoll(2) without a timeout: a timer is set only when the deadline changes, since to set and cancel one
/// for each packet costs more than the wait. Timestamps end the wait only where they are awaited, since reading them
/// later, with the next packet, saves a wake-up.
public struct ConnectionPoll: ~Copyable {
    private let conns: [PacketConn]
    private var timer: TimerSignal
    /// Two entries for each connection, for packets and for timestamps; then the timer and the caller's signal.
    private var entries: [pollfd]
    private var activities: [PacketConn.Activity]
    /// True if the caller's signal is raised.
    public private(set) var isSignalRaised = false

    /// - Parameter signal: must stay open as long as this value is in use.
    /// - Throws: `SystemError` from timerfd_create(2).
    public init(_ conns: [PacketConn], signal: borrowing EventSignal) throws(SystemError) {
        self.conns = conns
        timer = try TimerSignal()
        activities = Array(repeating: [], count: conns.count)
        entries = []
        for conn in conns {
            entries.append(pollfd(fd: conn.receiver.rawValue, events: Int16(POLLIN), revents: 0))
            // poll(2) always reports errors. A connection of one socket reports its timestamps on the first entry.
            entries.append(pollfd(fd: conn.isDual ? conn.senderFD : -1, events: 0, revents: 0))
        }
        entries.append(pollfd(fd: timer.descriptor.rawValue, events: Int16(POLLIN), revents: 0))
        entries.append(pollfd(fd: signal.descriptor.rawValue, events: Int16(POLLIN), revents: 0))
    }

    /// Sets whether the timestamps of a connection end the wait. Those of a connection of one socket always do.
    public mutating func setAwaitsStamps(_ awaits: Bool, of index: Int) {
        guard conns[index].isDual else { return }
        // A negative descriptor is ignored, as is its error condition.
        entries[2 * index + 1].fd = awaits ? conns[index].senderFD : -1
    }

    /// The events of a connection, by the last wait.
    public subscript(index: Int) -> PacketConn.Activity { activities[index] }

    /// Waits for events or a deadline.
    ///
    /// - Parameters:
    ///   - deadline: in CLOCK_MONOTONIC nanoseconds; a time that has passed only checks for events.
    ///   - now: the present, by the same clock.
    /// - Throws: `SystemError` from ppoll(2).
    public mutating func wait(until deadline: Int64, _ now: Int64) throws(SystemError) {
        var deadline = deadline
        for conn in conns where conn.isDown.load(ordering: .relaxed) {
            deadline = min(deadline, now &+ PacketConn.downPollIntervalNanoseconds)
        }
        let isPast = deadline <= now
        if !isPast { timer.set(to: deadline, now) }
        let count = UInt32(entries.count)
        let ready = entries.withUnsafeMutableBufferPointer { cl_ppoll($0.baseAddress, count, isPast ? 0 : -1) }
        if ready < 0, ready != -EINTR { throw SystemError("wait", code: -ready) }
        isSignalRaised = ready > 0 && entries[entries.count - 1].revents != 0
        for index in conns.indices { activities[index] = ready > 0 ? activity(of: index) : [] }
    }

    private func activity(of index: Int) -> PacketConn.Activity {
        let conn = conns[index]
        var activity: PacketConn.Activity = []
        if entries[2 * index].revents != 0 { activity.insert(.packets) }
        let stamps = conn.isDual ? entries[2 * index + 1].revents : entries[2 * index].revents
        if Int32(stamps) & POLLERR != 0 {
            activity.insert(.stamps)
            // A pending socket error sets the same flag, and only reading it clears the flag.
            if conn.isDual { _ = conn.separateSender.takePendingError() }
        }
        // An interface that was deleted while it was down is not reported, so it is looked for.
        if activity.isEmpty, conn.isDown.load(ordering: .relaxed), conn.receiver.isBoundInterfaceGone {
            activity.insert(.packets)
        }
        return activity
    }
}
