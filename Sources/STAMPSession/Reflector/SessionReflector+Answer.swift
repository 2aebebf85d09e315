import NetworkAddresses
import Report
import STAMPWire

extension SessionReflector {
    /// Answers a probe. What cannot be answered is counted by its reason.
    ///
    /// - Parameters:
    ///   - payload: the probe's STAMP packet.
    ///   - key: the addresses and port that the probe was sent from and to; its SSID is read from the packet.
    ///   - station: the sender's MAC address if packets have no IP header.
    ///   - reply: the bytes for the reply's STAMP packet: as many as the probe has, and at least 44.
    ///   - replyBytes: the length that the reply's packet has on the wire, in bytes.
    ///   - now: read just before the call: its CLOCK_REALTIME becomes T3.
    /// - Returns: the reply to send; nil if there is none.
    public mutating func answer(
        _ payload: RawSpan, from key: SessionKey, station: MACAddress? = nil, _ arrival: Arrival,
        into reply: inout MutableRawSpan, replyBytes: Int, at now: HostTime
    ) -> Answer? {
        guard let probe = SenderPacket(decoding: payload) else {
            result.short &+= 1
            return nil
        }
        var key = key
        key.ssid = probe.ssid
        guard let place = place(of: key, station, now) else { return nil }
        let context = context(for: place, probe.sequence, arrival, now)
        guard let written = writeReply(to: payload, into: &reply, context: context) else {
            result.short &+= 1
            return nil
        }
        let id = append(written, probe, arrival, place, replyBytes: replyBytes, now)
        return Answer(place: place, id: id, length: written.length, dscp: written.replyDSCP)
    }

    /// The place of a session, which is opened if it is new; nil if it is not admitted.
    private mutating func place(of key: SessionKey, _ station: MACAddress?, _ now: HostTime) -> Int? {
        if let place = table.index(of: key) { return place }
        // Port 0 cannot be answered.
        guard key.sourcePort != 0 else {
            result.stray &+= 1
            return nil
        }
        guard key.sourcePort != configuration.port else {
            result.loopsRejected &+= 1
            return nil
        }
        guard configuration.allowed.isEmpty || configuration.allowed.contains(where: { $0.contains(key.source) }) else {
            result.notAllowed &+= 1
            return nil
        }
        guard table.hasRoom else {
            result.sessionsRejected &+= 1
            return nil
        }
        var session = ReflectedSession(
            key, identifier: key.identifier(seed: configuration.instance), now: now.monotonic,
            bootHash: configuration.host.bootHash, localSteps: now.clockSteps, firstID: table.nextID)
        session.station = station
        result.sessionsOpened &+= 1
        return table.open(session)
    }

    /// The contents of the reply.
    private mutating func context(
        for place: Int, _ sequence: UInt32, _ arrival: Arrival, _ now: HostTime
    ) -> ReplyContext {
        let taken = table[place].stampedReplies.take()
        let times = arrival.times
        let paired = PairedTimestamps(
            instance: configuration.instance, bootHash: configuration.host.bootHash,
            hardwareClock: configuration.host.hardwareClock, clockSteps: UInt8(truncatingIfNeeded: now.clockSteps),
            transmit0: replyStamps(taken.0, place), transmit1: replyStamps(taken.1, place),
            receive0: ReceiveStamps(sequence: sequence, times: times), receive1: table[place].previousReceipt)
        let usingHardware = configuration.usesHardwareOnly ? times.nic.realtime : nil
        let isSynchronized = now.errorEstimate.synchronized
        return ReplyContext(
            sequence: table[place].nextReply, receiveNanoseconds: usingHardware ?? times.software ?? times.app ?? 0,
            transmitNanoseconds: now.realtime, errorEstimate: now.errorEstimate, ttl: arrival.hopLimit,
            dscp: arrival.dscp, ecn: arrival.ecn, permitsRequestedDSCP: configuration.hasIP,
            followUp: table[place].followUp,
            syncSource: isSynchronized ? SynchronizationSource.ntp : SynchronizationSource.localFreeRunning,
            receiveMethod: usingHardware == nil ? TimestampingMethod.softwareLocal : TimestampingMethod.hardwareAssist,
            paired: paired)
    }

    @inline(__always)
    private func replyStamps(_ id: UInt32?, _ place: Int) -> TransmitStamps? {
        guard let id, let index = table[place].replies.index(of: id) else { return nil }
        let slot = table[place].replies[index]
        return TransmitStamps(sequence: slot.replySequence, answered: slot.sequence, times: slot.reply)
    }

    /// Puts a reply into its session's slots.
    private mutating func append(
        _ written: ReplyResult, _ probe: SenderPacket, _ arrival: Arrival, _ place: Int, replyBytes: Int,
        _ now: HostTime
    ) -> UInt32 {
        if let paired = written.probePaired, table[place].isPaired, table[place].identifier != paired.instance {
            // Another sender uses the port now: the rows of the former one are written under its ID.
            finishAll(place)
            table[place].beginOtherSender()
        }
        makeRoom(place)
        let replySequence = table[place].nextReply
        let order = record(written.probePaired, probe, arrival.times, place, now)
        result.totals.received &+= 1
        if order == .duplicate { result.duplicates &+= 1 }
        var slot = ReplySlot()
        slot.sequence = probe.sequence
        slot.replySequence = replySequence
        slot.flags = written.probePaired?.isClosing == true ? .unsent : [.unsent, .measured]
        if receiptMayPrecedeStep { slot.flags.insert(.crossing) }
        slot.epoch = table[place].clock.current
        slot.probeStatus = order == .duplicate ? .duplicate : order == .reordered ? .reordered : .ok
        slot.ttl = arrival.hopLimit
        slot.dscp = arrival.dscp
        slot.replyDSCP = written.replyDSCP
        slot.bytes = arrival.bytes
        slot.replyBytes = Int32(clamping: replyBytes)
        slot.sentAt = now.monotonic
        slot.probe.app = probe.timestampNanoseconds(near: arrival.times.app ?? now.realtime)
        slot.probeReceived = arrival.times
        slot.reply.app = now.realtime
        let id = table[place].replies.next
        table[place].replies.append(slot)
        touch(place)
        guard configuration.writesRows else { return id }
        if let paired = written.probePaired {
            update(from: paired, place)
        } else if let index = table[place].replies.index(of: id) {
            // A standard STAMP sender reports nothing more.
            writeProbeRow(index, place)
        }
        return id
    }

    /// Makes room for one more reply: with more slots, or by finishing the session's oldest reply early.
    private mutating func makeRoom(_ place: Int) {
        let oldest = table[place].oldest
        guard table[place].replies.next &- oldest >= UInt32(table[place].replies.capacity), !table.enlarge(place)
        else { return }
        if let index = table[place].replies.index(of: oldest) {
            if !table[place].replies[index].flags.contains(.stamped) {
                table[place].replies[index].stampMissing = .late
            }
            if table[place].replies[index].book.isWaiting {
                let wasQueueFull = table[place].isBeforeFullQueue(oldest)
                _ = book.writeOff(
                    &table[place].replies[index].book, wasQueueFull: wasQueueFull,
                    hardwareReason: { .skippedByDriver })
            }
            finish(index, place)
        }
        table[place].oldest &+= 1
    }

    /// Updates the session from a probe that is being answered.
    private mutating func record(
        _ paired: PairedTimestamps?, _ probe: SenderPacket, _ receipt: ReceiveTimes, _ place: Int, _ now: HostTime
    ) -> ReflectedSession.ProbeOrder {
        let order = table[place].record(probe: probe.sequence)
        table[place].previousReceipt = ReceiveStamps(sequence: probe.sequence, times: receipt)
        table[place].probeIntervalNanoseconds = now.monotonic &- table[place].lastUsed
        table[place].lastUsed = now.monotonic
        table[place].relation.update(local: now.errorEstimate, peer: probe.errorEstimate)
        table[place].clock.follow(localSteps: now.clockSteps)
        if let paired {
            update(ofClock: paired, place)
            table[place].identifier = paired.instance
            table[place].isPaired = true
            table[place].isClosing = paired.isClosing
            if !paired.isClosing { table[place].hasMeasured = true }
        }
        return order
    }

    /// Updates the relation of the clocks and the clock epochs from a paired sender's report.
    private mutating func update(ofClock paired: PairedTimestamps, _ place: Int) {
        if table[place].isPaired, table[place].identifier != paired.instance { table[place].clock.resetPeer() }
        let isNewBoot = table[place].relation.update(peerBootHash: paired.bootHash)
        let isOneClock = table[place].relation.isOneClock
        if table[place].clock.update(reported: paired.clockSteps, isOneClock: isOneClock) {
            table[place].relation.recordPeerStep()
        } else if isNewBoot {
            table[place].clock.recordPeerStep()
        }
        // Earlier clock epochs have no rows.
        if !paired.isClosing, !table[place].hasMeasured { table[place].clock.begin() }
    }

    /// Records that the kernel accepted a reply.
    public mutating func recordSent(_ answer: Answer) {
        guard let index = unsentIndex(answer) else { return }
        table[answer.place].replies[index].flags.remove(.unsent)
        table[answer.place].replies[index].book = book.enter()
        result.totals.sent &+= 1
        sendHealth.recordSend()
        if !table[answer.place].replies[index].book.isWaiting { markStamped(index, answer.place) }
    }

    /// Records that the kernel refused a reply. It keeps its sequence number.
    ///
    /// - Parameter code: the errno of the refusal.
    public mutating func recordRefusal(_ answer: Answer, code: Int32, at now: HostTime) {
        guard let index = unsentIndex(answer) else { return }
        result.refusals &+= 1
        table[answer.place].replies[index].flags.remove(.unsent)
        if configuration.writesRows { writeRefusal(index, answer.place, code: code) }
        table[answer.place].replies[index].flags.formUnion([.stamped, .replyRowWritten])
        if let notice = sendHealth.recordRefusal(code: code, now.monotonic) { host.report(notice) }
    }

    @inline(__always)
    private func unsentIndex(_ answer: Answer) -> Int? {
        guard let index = table[answer.place].replies.index(of: answer.id),
            table[answer.place].replies[index].flags.contains(.unsent)
        else { return nil }
        return index
    }
}

extension SessionKey {
    /// A number for a session whose sender names none.
    ///
    /// - Parameter seed: a random number, so that senders cannot choose sessions whose numbers are equal.
    func identifier(seed: UInt64) -> UInt64 {
        var hash = seed
        func mix(_ value: UInt64) {
            hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
        }
        func mix(_ address: IPAddress) {
            switch address {
            case .v4(let value): mix(UInt64(value))
            case .v6(let value):
                mix(UInt64(truncatingIfNeeded: value >> 64))
                mix(UInt64(truncatingIfNeeded: value))
            }
        }
        mix(source)
        mix(destination)
        mix(UInt64(sourcePort) << 16 | UInt64(ssid))
        return hash
    }
}
