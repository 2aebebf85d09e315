import FastAFPacket
import LinuxKernel
import STAMPSession
import STAMPWire

extension EndpointLoop {
    /// Sends probes whose deadline has passed, at most a batch, in the order of their deadlines.
    mutating func sendDue(_ now: HostTime, _ buffers: inout Buffers) {
        guard timers.deadline <= now.monotonic else { return }
        isWaitingForNIC = !acquireTurn(now)
        if isWaitingForNIC { return }
        let stampsBefore = nic.missed.deadline(now.monotonic, timeout: timeout)
        var socket = 0
        var isBlocked = false
        while !isBlocked, batched.count < Self.batchCapacity, timers.deadline <= now.monotonic,
            let session = timers.first
        {
            advance(session, now, stampsBefore)
            let place = places[session]
            if place.setting.socket != socket {
                transmit(socket, &buffers)
                socket = place.setting.socket
            }
            while !isBlocked, batched.count < Self.batchCapacity, place.sender.isProbeDue(at: now.monotonic) {
                isBlocked = !append(session, place, now, &buffers.sending)
            }
            timers.set(session, to: place.sender.deadline)
            // A session whose last probe is in the batch enters its next phase once that is sent.
            touch(session)
        }
        transmit(socket, &buffers)
    }

    /// Acquires the turn at a NIC that holds one timestamp at a time.
    private mutating func acquireTurn(_ now: HostTime) -> Bool {
        guard let session = timers.first,
            places[session].setting.configuration.expectedStamps.contains(.hardware)
        else { return true }
        return turn.acquire(
            .sender, now.monotonic, timeout: places[session].setting.configuration.intervalNanoseconds / 2)
    }

    /// Appends a session's next probe to the batch.
    private mutating func append(
        _ session: Int, _ place: SessionPlace, _ now: HostTime, _ batch: inout SendBatch
    ) -> Bool {
        let size = place.setting.configuration.layout.size
        let isDatagram = sockets[place.setting.socket].transport == .udp
        let options =
            isDatagram
            ? SendOptions(destination: place.setting.peer, trafficClass: place.setting.configuration.dscp << 2)
            : SendOptions()
        var written: UInt32?
        batch.append { frame -> SendBatch.Packet? in
            let headers = place.headers
            let offset = min(headers.offset, frame.byteCount)
            var payload = frame._mutatingExtracting(offset...)
            var time = now
            time.realtime = ClockID.realtime.now()
            guard let sequence = place.sender.writeProbe(into: &payload, at: time),
                headers.write(into: &frame, payload: size, sequence: sequence & 0x7FFF)
            else { return nil }
            written = sequence
            return SendBatch.Packet(
                id: Self.identifier(session, sequence), length: headers.finish(&frame, payload: size),
                options: options)
        }
        guard let written else { return false }
        batched.append((session, written))
        return true
    }

    /// The ID of a packet's timestamps: the session's index, and the low bits of the packet's number.
    static func identifier(_ session: Int, _ number: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: session) << sequenceBits | number & (1 << sequenceBits &- 1)
    }

    /// Passes the batch to the kernel. A probe that it refuses does not affect the others.
    private mutating func transmit(_ socket: Int, _ buffers: inout Buffers) {
        defer {
            buffers.sending.removeAll()
            batched.removeAll(keepingCapacity: true)
        }
        guard !batched.isEmpty else { return }
        let now = time()
        var position = 0
        var isAnySent = false
        while position < batched.count {
            do throws(SystemError) {
                let sent = try sockets[socket].conn.send(&buffers.sending, from: position)
                for (session, sequence) in batched[position..<position + sent] {
                    places[session].sender.recordSent(sequence, at: now.monotonic)
                }
                position += sent
                stampStates[socket].unread += sent
                isAnySent = isAnySent || sent > 0
            } catch {
                recordRefusal(error, batched[position], now)
                position += 1
            }
        }
        if !isAnySent { turn.release(.sender) }
    }

    private mutating func recordRefusal(
        _ failure: SystemError, _ probe: (session: Int, sequence: UInt32), _ now: HostTime
    ) {
        // A missing interface and a packet above the MTU are permanent failures.
        switch failure.code {
        case ErrorCode.noSuchAddress, ErrorCode.noDevice, ErrorCode.messageTooLong: result.failure = failure
        default: break
        }
        places[probe.session].sender.recordRefusal(probe.sequence, code: Self.code(failure), at: now)
    }

    /// The errno of a refusal. A timeout of zero means that the send buffer is full.
    static func code(_ failure: SystemError) -> Int32 {
        failure.code == ErrorCode.timedOut ? ErrorCode.tryAgain : failure.code
    }
}
