import FastAFPacket
import LinuxKernel
import STAMPSession
import STAMPWire

extension EndpointLoop {
    /// Reads the transmit timestamps of a socket that have arrived, in a limited number of batches.
    mutating func receiveStamps(_ socket: Int, _ buffers: inout Buffers) {
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
