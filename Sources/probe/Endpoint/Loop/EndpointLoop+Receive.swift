import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import STAMPSession
import STAMPWire

extension EndpointLoop {
    /// Receives pending replies, up to a limit, so that a flood does not keep the thread from its other work.
    mutating func receiveReplies(_ socket: Int, _ buffers: inout Buffers) {
        for _ in 0..<Self.rounds {
            guard receive(socket, &buffers.receiving) else { return }
            let appTime = ClockID.realtime.now()
            let now = checkedTime()
            buffers.receiving.forEach { bytes, packet in
                receiveReply(bytes, packet, socket, appTime, now)
            }
            if buffers.receiving.count < buffers.receiving.capacity { return }
        }
    }

    /// Receives a batch.
    ///
    /// - Returns: false if there is none.
    private mutating func receive(_ socket: Int, _ batch: inout ReceiveBatch) -> Bool {
        do throws(SystemError) {
            return try sockets[socket].conn.receiveNow(&batch) > 0
        } catch {
            // ENETDOWN is reported, and the socket works again when the interface is up.
            if error.code == ErrorCode.networkDown {
                push(.receiveFailed(code: error.code, sockets[socket].role))
            } else {
                result.failure = error
            }
            return false
        }
    }

    private mutating func receiveReply(
        _ bytes: RawSpan, _ packet: borrowing ReceivedPacket, _ socket: Int, _ appTime: Int64, _ now: HostTime
    ) {
        guard !packet.isTruncated else { return result.rejectedReplies.truncated &+= 1 }
        let received: ReceivedHeaders
        do throws(FrameError) {
            received = try sockets[socket].headers(of: bytes, packet)
        } catch {
            return result.rejectedReplies.count(error)
        }
        guard let session = demultiplexer.session(of: received) else { return result.rejectedReplies.stray &+= 1 }
        let arrival = arrival(of: packet, received, socket, appTime)
        places[session].sender.receive(bytes.extracting(received.payload), arrival, at: now)
        touch(session)
    }

    /// The timestamps and header fields of a received packet.
    private mutating func arrival(
        of packet: borrowing ReceivedPacket, _ received: ReceivedHeaders, _ socket: Int, _ appTime: Int64
    ) -> Arrival {
        let software = packet.stamps.software
        let isReflector = sockets[socket].isReflector
        var counts = isReflector ? result.probeStamping : result.replyStamping
        defer { if isReflector { result.probeStamping = counts } else { result.replyStamping = counts } }
        let nic = phc.received(
            packet.stamps.hardware, before: software ?? appTime, sockets[socket].receiveStamping, &counts)
        return Arrival(
            times: ReceiveTimes(nic: nic, software: software, app: appTime),
            bytes: Int32(clamping: received.frameBytes), hopLimit: received.hopLimit, dscp: received.dscp,
            ecn: received.ecn)
    }

    /// Answers pending probes in batches, up to a limit.
    mutating func answer(_ socket: Int, _ buffers: inout Buffers) {
        guard !mustWaitForNIC() else { return }
        for _ in 0..<Self.rounds {
            guard receive(socket, &buffers.receiving) else { break }
            let steps = clock.steps
            let appTime = ClockID.realtime.now()
            let now = checkedTime()
            buffers.receiving.forEach { bytes, packet in
                answer(bytes, packet, socket, appTime, now, &buffers.sending)
            }
            transmitAnswers(socket, now, &buffers)
            if buffers.receiving.count < buffers.receiving.capacity {
                // No packet from before a step is left, unless the step was found just now.
                if clock.steps == steps { reflector?.recordEmptyQueue() }
                return
            }
            receiveStamps(socket, &buffers)
        }
    }

    private mutating func answer(
        _ bytes: RawSpan, _ packet: borrowing ReceivedPacket, _ socket: Int, _ appTime: Int64, _ now: HostTime,
        _ batch: inout SendBatch
    ) {
        guard !packet.isTruncated else { return result.rejectedProbes.truncated &+= 1 }
        // Frames to other hosts, which promiscuous mode shows, and broadcasts are not answered.
        if let type = packet.link?.packetType, type != .host { return result.rejectedProbes.stray &+= 1 }
        let received: ReceivedHeaders
        do throws(FrameError) {
            received = try sockets[socket].headers(of: bytes, packet)
        } catch {
            return result.rejectedProbes.count(error)
        }
        // A group address or address 0 is no valid source.
        guard received.sourceMAC.map({ !$0.isMulticast && $0 != .zero }) ?? true else {
            return result.rejectedProbes.stray &+= 1
        }
        guard localAddresses[socket]?.contains(received.destination) ?? true else {
            return result.rejectedProbes.stray &+= 1
        }
        let arrival = arrival(of: packet, received, socket, appTime)
        let key = SessionKey(
            source: received.source.address, sourcePort: received.source.port, destination: received.destination,
            ssid: 0)
        let payload = bytes.extracting(received.payload)
        let headers = sockets[socket].replyHeaders(to: received)
        let isDatagram = sockets[socket].transport == .udp
        var written: SessionReflector.Answer?
        batch.append { frame -> SendBatch.Packet? in
            var time = now
            time.realtime = ClockID.realtime.now()
            let replyBytes = headers.frameBytes(payload: max(payload.byteCount, STAMP.baseLength))
            var body = frame._mutatingExtracting(min(headers.offset, frame.byteCount)...)
            guard
                let answer = reflector?.answer(
                    payload, from: key, station: received.sourceMAC, arrival, into: &body, replyBytes: replyBytes,
                    at: time)
            else { return nil }
            written = answer
            let headers = headers.marked(dscp: answer.dscp)
            guard headers.write(into: &frame, payload: answer.length, sequence: answer.id | 0x8000) else { return nil }
            return SendBatch.Packet(
                id: Self.identifier(answer.place, answer.id), length: headers.finish(&frame, payload: answer.length),
                options: isDatagram
                    ? SendOptions(
                        destination: received.source, source: received.destination, trafficClass: answer.dscp << 2)
                    : SendOptions())
        }
        if let written { answers.append(written) }
    }

    /// Lets probes wait for a moment if the NIC is busy with another timestamp, unless they arrive at a high rate.
    ///
    /// - Returns: true if they have to wait longer.
    private mutating func mustWaitForNIC() -> Bool {
        guard reflector?.configuration.expectedStamps.contains(.hardware) ?? false else { return false }
        let now = ClockID.monotonic.now()
        if turn.acquire(.reflector, now, timeout: (now &- lastAnswered) / 2) {
            lastAnswered = now
            return false
        }
        // This waits for the signal only, since packets are already pending.
        _ = try? control.signal.descriptor.waitForInput(timeout: TransmitTurn.pollInterval)
        return true
    }

    /// Passes the replies to the kernel. A refused reply does not affect the others: a sender whose address cannot be
    /// answered must not suppress other senders' replies.
    private mutating func transmitAnswers(_ socket: Int, _ now: HostTime, _ buffers: inout Buffers) {
        var position = 0
        var isAnySent = false
        while position < answers.count {
            do throws(SystemError) {
                let sent = try sockets[socket].conn.send(&buffers.sending, from: position)
                for answer in answers[position..<position + sent] { reflector?.recordSent(answer) }
                position += sent
                stampStates[socket].unread += sent
                isAnySent = isAnySent || sent > 0
            } catch {
                if error.code == ErrorCode.noSuchAddress || error.code == ErrorCode.noDevice { result.failure = error }
                reflector?.recordRefusal(answers[position], code: Self.code(error), at: now)
                position += 1
            }
        }
        if !isAnySent { turn.release(.reflector) }
        buffers.sending.removeAll()
        answers.removeAll(keepingCapacity: true)
    }
}
