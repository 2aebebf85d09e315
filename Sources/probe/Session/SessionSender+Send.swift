import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

extension SessionSender {
    /// Sends the probes whose time has come, as one batch.
    ///
    /// - Returns: whether the kernel was handed any.
    mutating func sendDue(_ now: Int64, _ batch: inout SendBatch) -> Bool {
        guard now >= nextSend, phase != .over else { return false }
        isHeldUp = expectsHardware && !turn.acquire(now, timeout: configuration.interval / 2)
        if isHeldUp { return false }
        if now &- nextSend > Self.greatestDelay, phase == .measuring {
            let left = configuration.count.map { Int64(clamping: $0 &- min($0, attempts)) } ?? .max
            let missed = min(left, (now &- nextSend) / configuration.interval)
            result.skippedDeadlines &+= UInt64(missed)
            nextSend &+= missed &* configuration.interval
            attempts &+= UInt64(missed)
            if missed > 0, !hasFallenBehind {
                hasFallenBehind = true
                report(.fellBehind)
            }
        }
        followNextHop()
        let first = next
        while nextSend <= now, !batch.isFull {
            if phase == .measuring, let count = configuration.count, attempts >= count { break }
            append(sequence: first &+ UInt32(batch.count), deadline: nextSend, to: &batch)
            attempts &+= phase == .measuring ? 1 : 0
            nextSend &+= interval
            // Opening and closing probes follow the clock, not a schedule.
            if phase != .measuring {
                nextSend = now &+ interval
                break
            }
        }
        let isAny = batch.count > 0
        if isAny { transmit(&batch) }
        batch.removeAll()
        return isAny
    }

    private var expectsHardware: Bool { ledger.expected.contains(.hardware) }

    private var interval: Int64 {
        switch phase {
        case .opening: max(configuration.interval, Self.openingInterval)
        case .measuring: configuration.interval
        // The first few at once, since the last follow-ups are there already.
        case .closing, .over: result.uncountedProbes < 8 ? 2_000_000 : Self.closingInterval
        }
    }

    private mutating func followNextHop() {
        let mac = control.nextHopMAC
        guard mac != 0, mac != headers.destinationMAC.rawValue else { return }
        headers.destinationMAC = MACAddress(rawValue: mac)
        report(.nextHopChanged(mac: mac))
    }

    /// Writes one probe to the batch and takes its slot.
    private mutating func append(sequence: UInt32, deadline: Int64, to batch: inout SendBatch) {
        if sequence &- oldest > mask {
            // No place left: the oldest is written off before its time.
            if !slots[slotIndex(oldest)].flags.contains(.stamped) { slots[slotIndex(oldest)].stampMissing = .late }
            finish(oldest)
            passOldest()
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

    /// Hands the batch to the kernel; what it takes is sent, the rest never was, and its sequences are used again.
    private mutating func transmit(_ batch: inout SendBatch) {
        let sentAt = ClockID.monotonic.now()
        var sent = 0
        var failure: SystemError?
        while sent < batch.count, failure == nil {
            do throws(SystemError) {
                sent += try endpoint.conn.send(&batch, from: sent)
            } catch {
                failure = error
            }
        }
        if sent == 0 { turn.release() }
        for _ in 0..<sent {
            let index = slotIndex(next)
            slots[index].lateness = sentAt &- slots[index].sentAt
            slots[index].sentAt = sentAt
            ledger.recordSend(id: next, at: sentAt)
            if slots[index].flags.contains(.measured) {
                result.totals.sent &+= 1
            } else {
                result.uncountedProbes &+= 1
            }
            next &+= 1
        }
        for position in sent..<batch.count { slots[slotIndex(next &+ UInt32(position - sent))].flags = [] }
        if let failure {
            if failure.code == ErrorCode.noBuffers { skipRefused() }
            result.sendErrors &+= UInt64(batch.count - sent)
            update(of: failure)
        } else if isSendFailing {
            isSendFailing = false
            report(.sendWorksAgain)
        }
    }

    /// The interface's queue refused a packet that the kernel had timestamped already: its number is not used again, or that
    /// timestamp would be taken for the next packet's. It counts as no probe, and in no gap.
    private mutating func skipRefused() {
        slots[slotIndex(next)].flags = [.inUse, .reachedPeer]
        next &+= 1
    }

    /// Some failures pass; an interface that is gone and a packet that does not fit never do.
    private mutating func update(of failure: SystemError) {
        switch failure.code {
        case ErrorCode.noSuchAddress, ErrorCode.noDevice, ErrorCode.messageTooLong:
            result.failure = failure
        default:
            if !isSendFailing { report(.sendFailing(code: failure.code)) }
            isSendFailing = true
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
