import FastAFPacket
import LinuxKernel
import STAMPSession
import STAMPWire

/// The transmit timestamps of one socket that have not been read.
struct StampState {
    /// The packets sent since they were last read, and the time of that in CLOCK_MONOTONIC nanoseconds.
    var unread = 0
    var readAt: Int64 = 0
    /// The packets whose timestamps had not all arrived by then.
    var pending = 0

    /// The number of packets, and the time in nanoseconds, after which timestamps are read with other work.
    private static let largestUnread = 16
    private static let interval: Int64 = 1_000_000
    /// The time after which they are read in any case, in nanoseconds.
    private static let timeout: Int64 = 10_000_000

    /// Returns whether to read the timestamps while the thread is awake.
    func isDue(at now: Int64) -> Bool {
        unread > 0 && (unread >= Self.largestUnread || now &- readAt >= Self.interval)
    }

    /// The time at which the thread has to wake to read them.
    var deadline: Int64 { unread > 0 ? readAt &+ Self.timeout : .max }
}

extension EndpointLoop {
    /// Reads the transmit timestamps that are due. The kernel has most of them when a send call returns; to wait for each
    /// would wake the thread once more for every packet.
    mutating func drainStamps(_ buffers: inout Buffers) {
        let now = ClockID.monotonic.now()
        for index in sockets.indices
        where stampStates[index].isDue(at: now) || isNICBusy && stampStates[index].unread > 0 {
            receiveStamps(index, &buffers)
        }
    }

    /// Returns whether timestamps of a socket end the wait: those that had not arrived when they were last read.
    mutating func awaitsStamps(_ socket: Int) -> Bool {
        guard stampStates[socket].unread == 0 || isNICBusy else { return false }
        return sockets[socket].isReflector ? reflector?.pendingStamps ?? 0 > 0 : stampStates[socket].pending > 0
    }

    /// True if the NIC holds one timestamp at a time: the next packet waits for it.
    private var isNICBusy: Bool { nic.missed.metBusyNIC > 0 }

    /// Reads the transmit timestamps of a socket that have arrived, in a limited number of batches.
    mutating func receiveStamps(_ socket: Int, _ buffers: inout Buffers) {
        stampStates[socket].unread = 0
        stampStates[socket].readAt = ClockID.monotonic.now()
        for _ in 0..<Self.rounds {
            do throws(SystemError) {
                try sockets[socket].conn.receiveTransmitStampsNow(&buffers.stamps)
            } catch {
                result.failure = error
                return
            }
            // Even an empty batch can report that the queue was full.
            if buffers.stamps.foundQueueFull { recordFullQueue(socket) }
            guard buffers.stamps.count > 0 else { return }
            let now = checkedTime()
            buffers.stamps.forEach { stamp in record(stamp, socket, now) }
            if buffers.stamps.count < buffers.stamps.capacity { return }
        }
    }

    private mutating func recordFullQueue(_ socket: Int) {
        if sockets[socket].isReflector {
            reflector?.recordFullStampQueue()
        } else {
            for place in places where place.setting.socket == socket { place.sender.recordFullStampQueue() }
        }
    }

    private mutating func record(_ stamp: TransmitStamp, _ socket: Int, _ now: HostTime) {
        var hardware = HardwareStamp.none
        if let time = stamp.stamps.hardware {
            hardware = phc.stamp(time)
            turn.release(sockets[socket].role)
            nic.missed.recordStamp()
        }
        let report = StampReport(
            kinds: StampKinds(stamp.kinds), software: stamp.stamps.software, hardware: hardware)
        let index = Int(stamp.id >> Self.sequenceBits)
        let bits = stamp.id & (1 << Self.sequenceBits &- 1)
        if sockets[socket].isReflector {
            reflector?.record(report, of: index, bits: bits, width: Self.sequenceBits, at: now)
        } else if index < places.count {
            let sequence = places[index].sender.sequence(ofBits: bits, width: Self.sequenceBits)
            places[index].sender.record(report, of: sequence, at: now)
            touch(index)
        } else {
            result.unknownStamps &+= 1
        }
    }
}

extension StampKinds {
    /// The kinds that a connection requests.
    init(_ kinds: TransmitStampKinds) {
        self = []
        if kinds.contains(.sched) { insert(.sched) }
        if kinds.contains(.software) { insert(.software) }
        if kinds.contains(.hardware) { insert(.hardware) }
    }
}
