import Report
import STAMPWire

extension SessionSender {
    /// True if the deadline of a probe has passed.
    ///
    /// - Parameter now: CLOCK_MONOTONIC nanoseconds.
    @inline(__always)
    public func isProbeDue(at now: Int64) -> Bool {
        guard now >= nextSend, phase != .over else { return false }
        return phase != .measuring || configuration.count.map { attempts < $0 } ?? true
    }

    /// Writes the probe whose deadline has passed, as the payload of its packet.
    ///
    /// - Parameters:
    ///   - payload: the bytes for the payload, at least as many as the layout has.
    ///   - now: read just before the call: its CLOCK_REALTIME becomes T1.
    /// - Returns: the probe's sequence number; nil, with no probe, if none is due or the payload does not fit.
    public mutating func writeProbe(into payload: inout MutableRawSpan, at now: HostTime) -> UInt32? {
        if phase == .measuring { skipMissedDeadlines(now) }
        guard isProbeDue(at: now.monotonic), payload.byteCount >= configuration.layout.size else { return nil }
        if next &- oldest >= UInt32(slots.capacity) { makeRoom(now) }
        let sequence = next
        let stamped = stampedProbes.take()
        let received = receivedReplies.take()
        if phase == .closing, lastUpdateSequence == nil, stampedProbes.backlog == 0, receivedReplies.backlog == 0,
            !hasUnfinished
        {
            lastUpdateSequence = sequence
        }
        let paired = PairedTimestamps(
            isClosing: phase != .measuring, instance: configuration.session, bootHash: configuration.host.bootHash,
            hardwareClock: configuration.host.hardwareClock, clockSteps: UInt8(truncatingIfNeeded: now.clockSteps),
            transmit0: probeStamps(stamped.0), transmit1: probeStamps(stamped.1),
            receive0: replyReceipt(received.0), receive1: replyReceipt(received.1))
        let packet = SenderPacket(
            sequence: sequence, timestampNanoseconds: now.realtime, errorEstimate: now.errorEstimate,
            ssid: configuration.ssid)
        guard configuration.layout.writeFixedParts(into: &payload, requestedDSCP: configuration.dscp),
            packet.write(into: &payload),
            paired.write(into: &payload, at: configuration.layout.pairedTimestampsOffset)
        else { return nil }
        var slot = ProbeSlot()
        slot.sequence = sequence
        slot.epoch = epochs.current
        slot.flags = phase == .measuring ? [.unsent, .measured] : .unsent
        slot.sentAt = nextSend
        slot.probe.app = now.realtime
        slots.append(slot)
        schedule(after: now)
        return sequence
    }

    /// Sets the next deadline.
    private mutating func schedule(after now: HostTime) {
        phaseAttempts &+= 1
        switch phase {
        case .measuring:
            attempts &+= 1
            let (time, overflow) = nextSend.addingReportingOverflow(schedule.gap())
            nextSend = overflow ? .max : time
        // Opening and closing probes are spaced from the current time, not from a schedule.
        case .opening:
            nextSend = now.monotonic &+ max(configuration.intervalNanoseconds, Self.openingIntervalNanoseconds)
        // The first few are sent quickly, since the last follow-ups are already available.
        case .closing, .over:
            nextSend = now.monotonic &+ (phaseAttempts < 8 ? 2_000_000 : Self.closingIntervalNanoseconds)
        }
    }

    /// Finishes the oldest probe before its timeout, because all slots are in use.
    private mutating func makeRoom(_ now: HostTime) {
        if let index = slots.index(of: oldest) {
            if !slots[index].flags.contains(.stamped) { slots[index].stampMissing = .late }
            if slots[index].book.isWaiting {
                _ = book.writeOff(
                    &slots[index].book, wasQueueFull: isBeforeFullQueue(oldest), hardwareReason: { .skippedByDriver })
            }
        }
        finish(oldest, now)
        retireOldest()
    }

    /// Skips the deadlines that passed long ago, because the caller was delayed, and counts them.
    mutating func skipMissedDeadlines(_ now: HostTime) {
        guard now.monotonic &- nextSend > Self.maximumLatenessNanoseconds else { return }
        var left = configuration.count.map { $0 &- min($0, attempts) } ?? .max
        var missed: UInt64 = 0
        // Deadlines of a suspended host that are too many to go through are counted by the mean interval.
        if (now.monotonic &- nextSend) / schedule.intervalNanoseconds > 1 << 16 {
            let whole = UInt64((now.monotonic &- nextSend) / schedule.intervalNanoseconds)
            missed = min(left, whole)
            left -= missed
            nextSend &+= Int64(clamping: whole) &* schedule.intervalNanoseconds
        }
        while left > 0, nextSend < now.monotonic {
            let gap = schedule.gap()
            // The last deadline that has passed is met now.
            guard gap <= now.monotonic &- nextSend else { break }
            nextSend &+= gap
            missed &+= 1
            left -= 1
        }
        result.skippedDeadlines &+= missed
        attempts &+= missed
        if missed > 0, !hasReportedSkippedDeadlines {
            hasReportedSkippedDeadlines = true
            host.report(.deadlinesSkipped)
        }
    }

    /// Records that the kernel accepted a probe.
    ///
    /// - Parameter time: the time of the send call, in CLOCK_MONOTONIC nanoseconds.
    public mutating func recordSent(_ sequence: UInt32, at time: Int64) {
        guard let index = slots.index(of: sequence), slots[index].flags.contains(.unsent) else { return }
        slots[index].flags.remove(.unsent)
        slots[index].lateness = Int32(clamping: time &- slots[index].sentAt)
        slots[index].sentAt = time
        slots[index].book = book.enter()
        if !slots[index].book.isWaiting { markStamped(index) }
        if slots[index].flags.contains(.measured) {
            result.totals.sent &+= 1
        } else {
            result.uncountedProbes &+= 1
        }
        silence.recordSend()
        sending.recordSend()
    }

    /// Records that the kernel refused a probe. It keeps its sequence number, which is not used again. It was never on
    /// the path, so it is no loss.
    ///
    /// - Parameters:
    ///   - code: the errno of the refusal.
    ///   - now: the time of the send call.
    public mutating func recordRefusal(_ sequence: UInt32, code: Int32, at now: HostTime) {
        guard let index = slots.index(of: sequence), slots[index].flags.contains(.unsent) else { return }
        result.refusals &+= 1
        slots[index].flags.remove(.unsent)
        slots[index].sentAt = now.monotonic
        slots[index].sendError = Int16(clamping: code)
        slots[index].flags.formUnion([.refused, .reachedPeer, .finished])
        if slots[index].flags.contains(.measured) {
            result.totals.notSent &+= 1
            writeRefusal(index)
        }
        if let notice = sending.recordRefusal(code: code, now.monotonic) { host.report(notice) }
    }

    @inline(__always)
    private func probeStamps(_ sequence: UInt32?) -> TransmitStamps? {
        guard let sequence, let index = slots.index(of: sequence) else { return nil }
        return TransmitStamps(sequence: sequence, answered: sequence, times: slots[index].probe)
    }

    @inline(__always)
    private func replyReceipt(_ sequence: UInt32?) -> ReceiveStamps? {
        guard let sequence, let index = slots.index(of: sequence), slots[index].flags.contains(.replied)
        else { return nil }
        return ReceiveStamps(sequence: slots[index].replySequence, times: slots[index].replyReceived)
    }
}
