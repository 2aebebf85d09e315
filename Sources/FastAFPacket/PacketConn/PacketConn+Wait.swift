import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketConn {
    /// The events that wake a thread that serves a whole connection.
    public struct Activity: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Packets to receive, or an error that a receive call reports.
        public static let packets = Activity(rawValue: 1)
        /// Transmit timestamps to read.
        public static let stamps = Activity(rawValue: 2)
        /// The caller's signal is raised.
        public static let signal = Activity(rawValue: 4)
        /// The connection is closed.
        public static let closed = Activity(rawValue: 8)
    }

    /// Waits for packets, transmit timestamps, a signal or a deadline. It is for one thread that does everything: it
    /// receives and reads timestamps until nothing is left, and then waits again.
    ///
    /// - Parameters:
    ///   - deadline: in CLOCK_MONOTONIC nanoseconds; `nil` waits indefinitely.
    ///   - signal: ends the wait while it is raised.
    /// - Returns: the events; empty at the deadline, and sometimes before it while the interface is down.
    public func waitForActivity(
        until deadline: Int64?, signal: borrowing EventSignal
    ) throws(SystemError) -> Activity {
        var timeout: Int64 = -1
        if let deadline {
            let now = ClockID.monotonic.now()
            timeout = deadline > now ? deadline - now : 0
        }
        if isDown.load(ordering: .relaxed) {
            timeout = timeout < 0 ? Self.downPollIntervalNanoseconds : min(timeout, Self.downPollIntervalNanoseconds)
        }
        var entries = (
            pollfd(fd: receiver.rawValue, events: Int16(POLLIN), revents: 0),
            // poll(2) always reports errors. A connection of one socket reports its timestamps on the first entry.
            pollfd(fd: isDual ? senderFD : -1, events: 0, revents: 0),
            pollfd(fd: signal.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: closing.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        )
        let ready = withUnsafeMutableBytes(of: &entries) { bytes in
            cl_ppoll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 4, timeout)
        }
        if ready < 0, ready != -EINTR { throw failure("wait", -ready) }
        guard ready > 0 else { return isDown.load(ordering: .relaxed) && receiver.isBoundInterfaceGone ? .packets : [] }
        var activity: Activity = []
        if entries.0.revents != 0 { activity.insert(.packets) }
        if entries.2.revents != 0 { activity.insert(.signal) }
        if entries.3.revents != 0 { activity.insert(.closed) }
        let stamps = isDual ? entries.1.revents : entries.0.revents
        if Int32(stamps) & POLLERR != 0 {
            activity.insert(.stamps)
            // A pending socket error sets the same flag, and only reading it clears the flag.
            if isDual { _ = separateSender.takePendingError() }
        }
        return activity
    }

    /// The interface's current MTU, looked up by its index in the socket's network namespace; `nil` on a UDP connection
    /// or once the interface is deleted. Source: SIOCGIFNAME and SIOCGIFMTU in netdevice(7).
    var interfaceMTU: Int? {
        guard let interface else { return nil }
        var request = ifreq()
        request.ifr_ifru.ifru_ivalue = interface.index
        guard ioctl(receiver.rawValue, 0x8910, &request) == 0, ioctl(receiver.rawValue, 0x8921, &request) == 0 else {
            return nil
        }
        return Int(request.ifr_ifru.ifru_mtu)
    }
}
