import Report
import STAMPWire

extension SessionSender {
    /// Records a message with transmit timestamps of a probe.
    ///
    /// - Parameters:
    ///   - sequence: the probe's sequence number, or its low bits; see ``sequence(ofBits:width:)``.
    ///   - now: read after the message was received.
    public mutating func record(_ stamp: StampReport, of sequence: UInt32, at now: HostTime) {
        guard let index = slots.index(of: sequence) else { return book.recordUnknown() }
        // A full queue refuses a packet after SCHED, whose timestamp still arrives.
        guard !slots[index].flags.contains(.refused) else { return }
        let match = book.record(stamp.kinds, of: &slots[index].book)
        guard match != .unknown else { return }
        if stamp.kinds.contains(.sched) { slots[index].probe.sched = stamp.software }
        if stamp.kinds.contains(.software) { slots[index].probe.software = stamp.software }
        if stamp.kinds.contains(.hardware) {
            // The relation of the clocks after a step does not apply to a packet that left before it.
            slots[index].probe.nic =
                slots[index].epoch == epochs.current
                ? stamp.hardware.plausible(sentAfter: slots[index].probe.app, now)
                : HardwareStamp(time: stamp.hardware.time)
        }
        if match == .stamped(isComplete: true) { markStamped(index) }
    }

    /// The number of probes that wait for transmit timestamps.
    @inlinable public var pendingStamps: Int { book.waiting }

    /// The newest sequence number with these low bits, which identify a packet among those in flight.
    @inlinable
    public func sequence(ofBits bits: UInt32, width: UInt32) -> UInt32 {
        let newest = next &- 1
        return newest &- ((newest &- bits) & (1 << width &- 1))
    }

    /// Records that the error queue was found full: the timestamps of earlier probes that never arrive were lost there.
    public mutating func recordFullStampQueue() { fullQueue = next }

    @inline(__always)
    func isBeforeFullQueue(_ sequence: UInt32) -> Bool {
        fullQueue.map { Int32(bitPattern: sequence &- $0) < 0 } ?? false
    }

    /// Handles a probe whose timestamps are complete: later probes report them to the peer.
    mutating func markStamped(_ index: Int) {
        slots[index].flags.insert(.stamped)
        if slots[index].flags.contains(.measured) { stampedProbes.add(slots[index].sequence) }
        complete(index)
    }

    /// Writes off the transmit timestamps of probes that were sent before a time and still wait for them.
    mutating func writeOffStamps(sentBefore time: Int64, _ now: HostTime) {
        while oldestWaiting != next {
            if fullQueue == oldestWaiting { fullQueue = nil }
            if let index = slots.index(of: oldestWaiting), !slots[index].flags.contains(.refused) {
                if slots[index].flags.contains(.unsent) { return }
                if slots[index].book.isWaiting {
                    guard slots[index].sentAt < time else { return }
                    writeOffStamps(at: index)
                }
            }
            oldestWaiting &+= 1
        }
    }

    private mutating func writeOffStamps(at index: Int) {
        let host = host
        let reason = book.writeOff(
            &slots[index].book, wasQueueFull: isBeforeFullQueue(slots[index].sequence),
            hardwareReason: host.reasonForMissingHardwareStamp)
        slots[index].stampMissing = reason
        if slots[index].probe.nic.time == nil { slots[index].probe.nic.missing = reason.wireCode }
        markStamped(index)
    }

    /// Finishes the probes whose timeout has passed, and those that need nothing more, in their order.
    mutating func sweep(_ now: HostTime) {
        while oldest != next {
            guard let index = slots.index(of: oldest) else {
                oldest &+= 1
                continue
            }
            let flags = slots[index].flags
            if flags.contains(.unsent) { return }
            if !slots[index].isFinished, flags.contains(.measured) {
                // A late reply has another timeout to arrive, and a follow-up arrives with the reply to the next probe.
                let timeout =
                    flags.contains(.replied)
                    ? configuration.timeoutNanoseconds &+ 2 &* configuration.intervalNanoseconds
                    : 2 &* configuration.timeoutNanoseconds
                guard now.monotonic &- slots[index].sentAt > timeout else { return }
                finish(oldest, now)
            } else if !slots[index].isFinished,
                now.monotonic &- slots[index].sentAt <= configuration.timeoutNanoseconds
            {
                return
            }
            retireOldest()
        }
    }

    /// Retires the oldest probe, and adds its outcome to the outages.
    mutating func retireOldest() {
        if let index = slots.index(of: oldest) {
            let slot = slots[index]
            if slot.flags.contains(.replied) { lastAnsweredReply = slot.replySequence }
            if slot.flags.contains(.measured) {
                result.outages.add(
                    slot.outcome, sequence: slot.sequence, sentAt: slot.sentAt, realtime: slot.probe.app ?? 0)
            }
        }
        oldest &+= 1
    }

    /// Writes the rows of all remaining probes. Timestamps that are still awaited stay pending in the ledger.
    mutating func finishAll(_ now: HostTime) {
        while oldest != next {
            if let index = slots.index(of: oldest), !slots[index].flags.contains(.stamped) {
                slots[index].stampMissing = .closed
            }
            finish(oldest, now)
            retireOldest()
        }
        host.update(result.totals)
    }
}

extension HardwareStamp {
    /// The timestamp, converted only if it lies between the send call and now.
    func plausible(sentAfter app: Int64?, _ now: HostTime) -> HardwareStamp {
        plausible(in: min(app ?? now.realtime, now.realtime)...now.realtime)
    }
}
