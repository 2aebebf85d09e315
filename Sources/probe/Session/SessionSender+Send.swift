import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

extension SessionSender {
    /// Sends every probe whose deadline has passed, as one batch.
    ///
    /// - Returns: true if probes were passed to the kernel.
    mutating func sendDue(_ now: Int64, _ batch: inout SendBatch) -> Bool {
        guard now >= nextSend, phase != .over else { return false }
        isWaitingForNIC = expectsHardware && !turn.acquire(now, timeout: configuration.intervalNanoseconds / 2)
        if isWaitingForNIC { return false }
        if phase == .measuring { skipMissedDeadlines(now) }
        followNextHop()
        let first = next
        while nextSend <= now, !batch.isFull {
            if phase == .measuring, let count = configuration.count, attempts >= count { break }
            append(sequence: first &+ UInt32(batch.count), deadline: nextSend, to: &batch)
            attempts &+= phase == .measuring ? 1 : 0
            phaseAttempts &+= 1
            nextSend &+= intervalNanoseconds
            // Opening and closing probes are spaced from the current time, not from a schedule.
            if phase != .measuring {
                nextSend = now &+ intervalNanoseconds
                break
            }
        }
        let isAny = batch.count > 0
        if isAny { transmit(&batch) }
        batch.removeAll()
        return isAny
    }

    /// Skips the deadlines that passed long ago, because this host was held up, and counts them.
    mutating func skipMissedDeadlines(_ now: Int64) {
        guard now &- nextSend > Self.maximumLatenessNanoseconds else { return }
        let left = configuration.count.map { Int64(clamping: $0 &- min($0, attempts)) } ?? .max
        let missed = min(left, (now &- nextSend) / configuration.intervalNanoseconds)
        result.skippedDeadlines &+= UInt64(missed)
        nextSend &+= missed &* configuration.intervalNanoseconds
        attempts &+= UInt64(missed)
        if missed > 0, !hasReportedSkippedDeadlines {
            hasReportedSkippedDeadlines = true
            report(.deadlinesSkipped)
        }
    }

    private var expectsHardware: Bool { ledger.expected.contains(.hardware) }

    private var intervalNanoseconds: Int64 {
        switch phase {
        case .opening: max(configuration.intervalNanoseconds, Self.openingIntervalNanoseconds)
        case .measuring: configuration.intervalNanoseconds
        // The first few are sent quickly, since the last follow-ups are already available.
        case .closing, .over: phaseAttempts < 8 ? 2_000_000 : Self.closingIntervalNanoseconds
        }
    }

    private mutating func followNextHop() {
        let mac = control.nextHopMAC
        guard mac != 0, mac != headers.destinationMAC.rawValue else { return }
        headers.destinationMAC = MACAddress(rawValue: mac)
        report(.nextHopChanged(mac: mac))
    }

    /// Appends one probe to the batch and initialises its slot.
    private mutating func append(sequence: UInt32, deadline: Int64, to batch: inout SendBatch) {
        if sequence &- oldest > mask {
            // All slots are in use: finish the oldest probe before its timeout.
            if !slots[slotIndex(oldest)].flags.contains(.stamped) { slots[slotIndex(oldest)].stampMissing = .late }
            finish(oldest)
            retireOldest()
        }
        let layout = configuration.layout
        let stamped = stampedProbes.take()
        let received = receivedReplies.take()
        if phase == .closing, lastUpdateSequence == nil, stampedProbes.backlog == 0, receivedReplies.backlog == 0,
            !hasUnfinished
        {
            lastUpdateSequence = sequence
        }
        let paired = PairedTimestamps(
            isClosing: phase != .measuring, instance: configuration.session, bootHash: configuration.bootHash,
            hardwareClock: nic.wireIndex, clockSteps: UInt8(truncatingIfNeeded: clockWatch.steps),
            transmit0: probeStamps(stamped.0),
            transmit1: probeStamps(stamped.1), receive0: replyReceipt(received.0), receive1: replyReceipt(received.1))
        let estimate = ErrorEstimate(rawValue: control.errorEstimate)
        let options = endpoint.transport == .udp ? datagramOptions : SendOptions()
        var slot = ProbeSlot()
        let headers = headers
        let ssid = configuration.ssid
        let dscp = configuration.dscp
        batch.append(id: sequence, options: options) { frame in
            guard headers.write(into: &frame, payload: layout.size, sequence: sequence & 0x7FFF) else { return 0 }
            let app = ClockID.realtime.now()
            var payload = frame._mutatingExtracting(headers.offset...)
            guard layout.writeFixedParts(into: &payload, requestedDSCP: dscp) else { return 0 }
            let packet = SenderPacket(
                sequence: sequence, timestampNanoseconds: app, errorEstimate: estimate, ssid: ssid)
            guard packet.write(into: &payload), paired.write(into: &payload, at: layout.pairedTimestampsOffset)
            else { return 0 }
            slot.wireT1 = packet.timestamp
            slot.probe.app = app
            return headers.finish(&frame, payload: layout.size)
        }
        slot.sequence = sequence
        slot.epoch = epochs.current
        slot.probe.sequence = sequence
        slot.probe.answered = sequence
        slot.sentAt = deadline
        slot.flags = phase == .measuring ? [.inUse, .measured] : .inUse
        slots[slotIndex(sequence)] = slot
    }

    private var datagramOptions: SendOptions {
        SendOptions(destination: configuration.peer, trafficClass: configuration.dscp << 2)
    }

    /// Passes the batch to the kernel. A refused probe keeps its sequence number, which is not used again. It was never
    /// on the path, so it is no loss. The probes after it are still sent.
    private mutating func transmit(_ batch: inout SendBatch) {
        let sentAt = ClockID.monotonic.now()
        var position = 0
        var isAnySent = false
        while position < batch.count {
            do throws(SystemError) {
                let sent = try endpoint.conn.send(&batch, from: position)
                for _ in 0..<sent { recordSent(at: sentAt) }
                position += sent
                isAnySent = isAnySent || sent > 0
            } catch {
                recordRefusal(error, at: sentAt)
                position += 1
            }
        }
        if !isAnySent { turn.release() }
    }

    private mutating func recordSent(at sentAt: Int64) {
        let index = slotIndex(next)
        slots[index].lateness = sentAt &- slots[index].sentAt
        slots[index].sentAt = sentAt
        ledger.recordSend(id: next, at: sentAt)
        if slots[index].flags.contains(.measured) {
            result.totals.sent &+= 1
        } else {
            result.uncountedProbes &+= 1
        }
        silence.recordSend()
        sending.recordSend()
        next &+= 1
    }

    private mutating func recordRefusal(_ failure: SystemError, at sentAt: Int64) {
        let index = slotIndex(next)
        // A timeout of zero means that the send buffer is full.
        let code = failure.code == ErrorCode.timedOut ? ErrorCode.tryAgain : failure.code
        result.sendErrors &+= 1
        slots[index].sentAt = sentAt
        slots[index].sendError = code
        // No reply can match the probe.
        slots[index].wireT1 = .max
        let isMeasured = slots[index].flags.contains(.measured)
        slots[index].flags.formUnion([.refused, .reachedPeer, .finished])
        next &+= 1
        if isMeasured {
            result.notSent &+= 1
            result.totals.notSent &+= 1
            writeRefusal(index)
        }
        switch code {
        // A missing interface and a packet above the MTU are permanent failures.
        case ErrorCode.noSuchAddress, ErrorCode.noDevice, ErrorCode.messageTooLong: result.failure = failure
        default: if let notice = sending.recordRefusal(code: code, sentAt) { report(notice) }
        }
    }

    private func probeStamps(_ sequence: UInt32?) -> TransmitStamps? {
        guard let sequence, let index = index(ofProbe: sequence) else { return nil }
        return slots[index].probe
    }

    private func replyReceipt(_ sequence: UInt32?) -> ReceiveStamps? {
        guard let sequence, let index = index(ofProbe: sequence), slots[index].flags.contains(.replied)
        else { return nil }
        return slots[index].replyReceived
    }
}
