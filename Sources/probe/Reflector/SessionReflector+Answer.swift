import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPWire

extension SessionReflector {
    /// Answers pending probes in batches, up to a limit, so that a flood does not keep the thread from its other work.
    mutating func answer(_ receiving: inout ReceiveBatch, _ sending: inout SendBatch, _ stamps: inout StampBatch) {
        for _ in 0..<Endpoint.rounds {
            do throws(SystemError) {
                try endpoint.conn.receiveNow(&receiving)
            } catch {
                // ENETDOWN is reported, and the socket works again when the interface is up.
                if error.code == ErrorCode.networkDown {
                    push(.notice(.receiveFailed(code: error.code, role: .reflector)))
                } else {
                    result.failure = error
                }
                return
            }
            guard receiving.count > 0 else { return }
            let steps = clockWatch.steps
            let appTime = ClockID.realtime.now()
            checkClock()
            let now = ClockID.monotonic.now()
            receiving.forEach { bytes, packet in answer(bytes, packet, appTime, now, &sending) }
            transmit(&sending, now)
            if receiving.count < receiving.capacity {
                // No packet from before a step is left, unless the step was found just now.
                if clockWatch.steps == steps { receiptMayPrecedeStep = false }
                return
            }
            receiveStamps(&stamps)
        }
    }

    private mutating func answer(
        _ bytes: RawSpan, _ packet: borrowing ReceivedPacket, _ appTime: Int64, _ now: Int64,
        _ sending: inout SendBatch
    ) {
        guard !packet.isTruncated else { return result.rejected.truncated &+= 1 }
        // Frames to other hosts, which promiscuous mode shows, and broadcasts are not answered.
        if let type = packet.link?.packetType, type != .host { return result.rejected.stray &+= 1 }
        let arrival: Arrival
        do throws(FrameError) {
            arrival = try endpoint.arrival(of: bytes, packet)
        } catch {
            return result.rejected.count(error)
        }
        // Port 0 cannot be answered, and a group address or address 0 is no valid source.
        guard arrival.source.port != 0, arrival.sourceMAC.map({ !$0.isMulticast && $0 != .zero }) ?? true else {
            return result.rejected.stray &+= 1
        }
        guard arrival.source.port != endpoint.port else { return result.loopsRejected &+= 1 }
        guard isAllowed(arrival.source.address) else { return result.notAllowed &+= 1 }
        let payload = bytes.extracting(arrival.payload)
        guard let probe = SenderPacket(decoding: payload) else { return result.rejected.short &+= 1 }
        let key = SessionKey(source: arrival.source, destination: arrival.destination, ssid: probe.ssid)
        guard let session = table.index(of: key) ?? open(key, arrival.sourceMAC, now) else {
            return result.sessionsRejected &+= 1
        }
        let receipt = ReceiveStamps(
            sequence: probe.sequence,
            nic: phc.received(
                packet.stamps.hardware, before: packet.stamps.software ?? appTime, endpoint.receiveStamping,
                &result.receiveStamping),
            software: packet.stamps.software, app: appTime)
        reply(to: probe, payload, arrival, receipt, session, now, &sending)
    }

    private func isAllowed(_ address: IPAddress) -> Bool {
        // On packet sockets the filter has already checked it.
        guard endpoint.transport == .udp, !configuration.allowed.isEmpty else { return true }
        return configuration.allowed.contains { $0.contains(address) }
    }

    private mutating func open(_ key: SessionKey, _ station: MACAddress?, _ now: Int64) -> Int? {
        guard table.hasRoom else { return nil }
        var hasher = Hasher()
        hasher.combine(key)
        let identifier = UInt64(bitPattern: Int64(hasher.finalize()))
        var session = ReflectedSession(
            key, identifier: identifier, now: now, bootHash: configuration.bootHash, localSteps: clockWatch.steps)
        session.station = station
        let index = table.open(session)
        if index != nil { result.sessionsOpened &+= 1 }
        return index
    }

    /// Appends one reply to the batch and initialises its slot.
    private mutating func reply(
        to probe: SenderPacket, _ payload: RawSpan, _ arrival: Arrival, _ receipt: ReceiveStamps, _ session: Int,
        _ now: Int64, _ sending: inout SendBatch
    ) {
        var context = context(for: session, arrival, receipt)
        let sequence = context.sequence
        let id = next &+ UInt32(sending.count)
        if id &- oldest > mask {
            if let index = index(ofReply: oldest), !replies[index].flags.contains(.stamped) {
                replies[index].stampMissing = .late
            }
            finish(oldest)
            oldest &+= 1
        }
        let headers = endpoint.replyHeaders(to: arrival)
        var outcome: ReplyResult?
        let options =
            endpoint.transport == .udp
            ? SendOptions(
                destination: arrival.source, source: arrival.destination,
                trafficClass: requestedDSCP(payload, else: arrival.dscp) << 2) : SendOptions()
        sending.append(id: id, options: options) { frame in
            context.transmitNanoseconds = ClockID.realtime.now()
            var body = frame._mutatingExtracting(min(headers.offset, frame.byteCount)...)
            guard let written = writeReply(to: payload, into: &body, context: context) else { return 0 }
            outcome = written
            let headers = headers.marked(dscp: written.replyDSCP)
            guard headers.write(into: &frame, payload: written.length, sequence: id | 0x8000) else { return 0 }
            return headers.finish(&frame, payload: written.length)
        }
        guard let outcome else { return result.rejected.short &+= 1 }

        let previous = table[session].newestID
        let arrivalOrder = record(outcome.probePaired, probe, receipt, session, id, now)
        result.totals.received &+= 1
        if arrivalOrder == .duplicate { result.duplicates &+= 1 }
        var slot = ReplySlot()
        slot.id = id
        slot.session = session
        slot.identifier = table[session].identifier
        slot.flags = outcome.probePaired?.isClosing == true ? .inUse : [.inUse, .measured]
        if receiptMayPrecedeStep { slot.flags.insert(.crossing) }
        slot.epoch = table[session].clock.current
        slot.probeStatus = arrivalOrder == .duplicate ? .duplicate : arrivalOrder == .reordered ? .reordered : .ok
        slot.ttl = arrival.hopLimit
        slot.dscp = arrival.dscp
        slot.replyDSCP = outcome.replyDSCP
        slot.bytes = Int32(clamping: arrival.frameBytes)
        slot.replyBytes = Int32(clamping: headers.frameBytes(payload: outcome.length))
        slot.sentAt = now
        slot.previous = previous
        slot.probe = TransmitStamps(
            sequence: probe.sequence, answered: probe.sequence,
            app: probe.timestampNanoseconds(near: receipt.app ?? 0))
        slot.probeReceived = receipt
        slot.reply = TransmitStamps(
            sequence: sequence, answered: probe.sequence, app: context.transmitNanoseconds)
        replies[Int(id & mask)] = slot
        guard configuration.writesRows else { return }
        if let paired = outcome.probePaired {
            update(from: paired, session)
        } else {
            // A standard STAMP sender reports nothing more.
            writeProbeRow(Int(id & mask))
        }
    }

    /// The contents of the reply, except for its transmit timestamp.
    private mutating func context(
        for session: Int, _ arrival: Arrival, _ receipt: ReceiveStamps
    ) -> ReplyContext {
        let taken = table[session].stampedReplies.take()
        let estimate = ErrorEstimate(rawValue: control.errorEstimate)
        let paired = PairedTimestamps(
            instance: configuration.instance, bootHash: configuration.bootHash,
            hardwareClock: nic.wireIndex, clockSteps: UInt8(truncatingIfNeeded: clockWatch.steps),
            transmit0: replyStamps(taken.0),
            transmit1: replyStamps(taken.1), receive0: receipt, receive1: table[session].previousReceipt)
        let usingHardware = configuration.stamps.usesHardwareOnly ? receipt.nic.realtime : nil
        return ReplyContext(
            sequence: table[session].nextReply,
            receiveNanoseconds: usingHardware ?? receipt.software ?? receipt.app ?? 0,
            transmitNanoseconds: 0, errorEstimate: estimate, ttl: arrival.hopLimit, dscp: arrival.dscp,
            ecn: arrival.ecn, permitsRequestedDSCP: endpoint.hasIP, followUp: table[session].followUp,
            syncSource: estimate.synchronized ? SynchronizationSource.ntp : SynchronizationSource.localFreeRunning,
            receiveMethod: usingHardware == nil ? TimestampingMethod.softwareLocal : TimestampingMethod.hardwareAssist,
            paired: paired)
    }

    private func replyStamps(_ id: UInt32?) -> TransmitStamps? {
        guard let id, let index = index(ofReply: id) else { return nil }
        return replies[index].reply
    }

    /// The DSCP that the probe requests for the reply. An ordinary socket needs it before the reply is written.
    private func requestedDSCP(_ payload: RawSpan, else received: UInt8) -> UInt8 {
        var requested: UInt8?
        forEachTLV(in: payload) { tlv in
            guard tlv.type == TLVType.classOfService, requested == nil else { return }
            requested = ClassOfService(decoding: payload.extracting(tlv.value))?.requestedDSCP
        }
        return requested ?? received
    }

    /// Updates the session from a probe that is being answered.
    private mutating func record(
        _ paired: PairedTimestamps?, _ probe: SenderPacket, _ receipt: ReceiveStamps, _ session: Int, _ id: UInt32,
        _ now: Int64
    ) -> ReflectedSession.ProbeOrder {
        let order = table[session].record(probe: probe.sequence)
        table[session].previousReceipt = receipt
        table[session].newestID = id
        table[session].nextReply &+= 1
        table[session].probeIntervalNanoseconds = now &- table[session].lastUsed
        table[session].lastUsed = now
        table[session].relation.update(
            local: ErrorEstimate(rawValue: control.errorEstimate), peer: probe.errorEstimate)
        table[session].clock.follow(localSteps: clockWatch.steps)
        if let paired {
            update(ofClock: paired, session)
            table[session].identifier = paired.instance
            table[session].isPaired = true
            table[session].isClosing = paired.isClosing
            if !paired.isClosing { table[session].hasMeasured = true }
        }
        return order
    }

    /// Updates the relation of the clocks and the clock epochs from a paired sender's report.
    private mutating func update(ofClock paired: PairedTimestamps, _ session: Int) {
        if table[session].isPaired, table[session].identifier != paired.instance { table[session].clock.resetPeer() }
        let isNewBoot = table[session].relation.update(peerBootHash: paired.bootHash)
        let isOneClock = table[session].relation.isOneClock
        if table[session].clock.update(reported: paired.clockSteps, isOneClock: isOneClock) {
            table[session].relation.recordPeerStep()
        } else if isNewBoot {
            table[session].clock.recordPeerStep()
        }
        // Earlier clock epochs have no rows.
        if !paired.isClosing, !table[session].hasMeasured { table[session].clock.begin() }
    }

    /// Passes the replies to the kernel. A refused reply does not affect the others: a sender whose address cannot be
    /// answered must not suppress other senders' replies.
    private mutating func transmit(_ batch: inout SendBatch, _ now: Int64) {
        var position = 0
        while position < batch.count {
            do throws(SystemError) {
                let sent = try endpoint.conn.send(&batch, from: position)
                for _ in 0..<sent {
                    ledger.recordSend(id: batch.id(at: position), at: now)
                    position += 1
                }
                result.totals.sent &+= UInt64(sent)
                if sent > 0 { sendHealth.recordSend() }
            } catch {
                recordRefusal(error, Int(batch.id(at: position) & mask), now)
                position += 1
            }
        }
        next &+= UInt32(batch.count)
        batch.removeAll()
    }

    private mutating func recordRefusal(_ failure: SystemError, _ index: Int, _ now: Int64) {
        let code = failure.code == ErrorCode.timedOut ? ErrorCode.tryAgain : failure.code
        result.sendErrors &+= 1
        if configuration.writesRows { writeRefusal(index, code: code) }
        replies[index].flags.formUnion([.stamped, .replyRowWritten])
        if code == ErrorCode.noSuchAddress || code == ErrorCode.noDevice {
            result.failure = failure
        } else if let notice = sendHealth.recordRefusal(code: code, now) {
            push(.notice(notice))
        }
    }
}
