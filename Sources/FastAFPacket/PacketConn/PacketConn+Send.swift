import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketConn {
    /// Sends the packets of a batch from `start` on, each with its id.
    ///
    /// A packet that the interface's queue rejected (ENOBUFS) may still have its SCHED timestamp, which is taken
    /// earlier.
    ///
    /// - Returns: the number of packets sent, at least 1. If packets remain, call again from there: the call continues,
    ///   or throws the reason why the next packet failed.
    /// - Throws: `SystemError` for the packet at `start`: ENETDOWN, EMSGSIZE above the MTU, ENOBUFS if the interface's
    ///   queue is full, EINVAL with a launch time that the connection does not allow, ENXIO once the interface is
    ///   deleted, ETIMEDOUT after the write deadline, EBADF once closed.
    public func send(_ batch: inout SendBatch, from start: Int = 0) throws(SystemError) -> Int {
        guard start >= 0, start < batch.count else { return 0 }
        if batch.hasLaunchTimes, !allowsLaunchTimes {
            throw SystemError(
                "send", code: EINVAL, remedy: "Launch times need a connection opened with Configuration.launchTimes.")
        }
        if identifierMap == nil {
            batch.includeIdentifiers(from: start, otherwise: transmitStamps)
        } else {
            batch.excludeIdentifiers(from: start)
        }
        return try blocking(on: writeEvents) { () throws(SystemError) in
            while true {
                let result = sendNow(batch, from: start)
                if result >= 0 { return Int(result) }
                if result == -EINTR { continue }
                // If one socket serves both halves, only the first call to it gets the error.
                if result == -ENETDOWN { isDown.store(true, ordering: .relaxed) }
                guard result == -EAGAIN else { throw failure("send", -result) }
                try wait("send", writeEvents, deadline: writeDeadline)
            }
        }
    }

    /// Returns the number of packets that the kernel accepted, or -errno of the first.
    private func sendNow(_ batch: borrowing SendBatch, from start: Int) -> Int32 {
        guard let identifierMap else {
            return cl_sendmmsg(
                senderFD, batch.storage.headers + start, UInt32(batch.count - start), Int32(MSG_DONTWAIT))
        }
        return identifierMap.turn.withLock { _ in sendCounted(batch, from: start, identifierMap) }
    }

    private func sendCounted(_ batch: borrowing SendBatch, from start: Int, _ map: IdentifierMap) -> Int32 {
        // One at a time: sendmmsg(2) loses the error of a packet after the first, and with it whether the kernel
        // counted that packet. All later ids would then be off by one.
        for index in start..<batch.count {
            let isCounted = batch.asksForStamps(at: index, otherwise: transmitStamps)
            if isCounted { map.add(id: batch.id(at: index)) }
            let result = cl_sendmmsg(senderFD, batch.storage.headers + index, 1, Int32(MSG_DONTWAIT))
            if result < 0 {
                if isCounted, !isCountedAnyway(error: -result, packet: batch.packet(at: index)) { map.withdraw() }
                return index > start ? Int32(index - start) : result
            }
        }
        return Int32(batch.count - start)
    }

    /// Returns whether the kernel counted a failed send. Source: packet_snd() in net/packet/af_packet.c.
    private func isCountedAnyway(error: Int32, packet: UnsafeRawBufferPointer) -> Bool {
        let linkHeaderBytes = socketType == .raw ? Int(ETH_HLEN) : 0
        let frameBytes = packet.count - (options.virtioNetHeader ? VirtioNetHeader.byteCount : 0)
        switch error {
        // The interface's queue rejected a packet that was already built. A datagram for which there was no memory is
        // not counted. Source: __ip_append_data() in net/ipv4/ip_output.c.
        case ENOBUFS: return interface != nil
        // A firewall refused a datagram that was already built. Source: ip_local_out() in net/ipv4/ip_output.c.
        case EPERM: return interface == nil
        // The kernel first allows room for a VLAN tag and checks the length again after building the packet.
        case EMSGSIZE: return interfaceMTU.map { frameBytes - $0 <= linkHeaderBytes + 4 } ?? false
        // Offsets that point past the frame fail before the packet is built; other header errors fail after it.
        case EINVAL:
            guard options.virtioNetHeader, let header = VirtioNetHeader(packet.bytes) else { return false }
            return frameBytes >= Int(ETH_HLEN) && header.bytesInFrame <= frameBytes
        default: return false
        }
    }

    /// Sends one packet: a send with a batch of one.
    ///
    /// - Parameters:
    ///   - packet: a whole frame on a raw packet socket, the payload otherwise.
    ///   - address: the destination; `nil` on a raw packet socket, whose frames contain it.
    ///   - id: the id that its transmit timestamps carry.
    /// - Throws: as ``send(_:from:)``.
    public func writeTo(_ packet: [UInt8], address: LinkAddress? = nil, id: UInt32) throws(SystemError) {
        try send(packet, SendOptions(link: address), id)
    }

    /// Sends one datagram on a UDP connection.
    ///
    /// - Throws: as ``send(_:from:)``.
    public func writeTo(_ payload: [UInt8], destination: SocketAddress, id: UInt32) throws(SystemError) {
        try send(payload, SendOptions(destination: destination), id)
    }

    private func send(_ packet: [UInt8], _ options: SendOptions, _ id: UInt32) throws(SystemError) {
        guard !packet.isEmpty else {
            throw SystemError("send", code: EINVAL, remedy: "The packet is empty: send at least one byte.")
        }
        let message = singleMessages.take()
        defer { singleMessages.recycle(message) }
        let result: Result<Int, SystemError> = packet.withUnsafeBytes { bytes in
            message.batch.replaceAll(with: bytes, id: id, options: options)
            return Result { () throws(SystemError) in try send(&message.batch) }
        }
        _ = try result.get()
    }
}
