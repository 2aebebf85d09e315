import CLinux
import Glibc
import Kernel
import Synchronization

extension PacketConn {
    /// Sends the packets of a batch from `start` on, each with its id, in one call as far as the kernel takes them.
    ///
    /// - Returns: how many were sent, at least 1; where it is not all, call again from there to go on, or to learn why
    ///   the next one failed.
    /// - Throws: ``SystemError`` for the packet at `start`: ENETDOWN, EMSGSIZE above the MTU, ENOBUFS where the
    ///   interface's queue is full, ENXIO once the interface is gone, ETIMEDOUT after the write deadline, EBADF once
    ///   closed.
    public func send(_ batch: inout SendBatch, from start: Int = 0) throws(SystemError) -> Int {
        guard start >= 0, start < batch.count else { return 0 }
        let count = batch.count - start
        if let identifierMap {
            for index in start..<batch.count { identifierMap.add(id: batch.id(at: index)) }
        } else if !transmitStamps.isEmpty {
            batch.giveIdentifiers()
        }
        while true {
            let result = cl_sendmmsg(
                senderFD, batch.storage.headers + start, UInt32(count), Int32(MSG_DONTWAIT))
            if result == -EINTR { continue }
            if result == -EAGAIN {
                do throws(SystemError) {
                    try wait("send", writeEvents, deadline: writeDeadline)
                } catch {
                    identifierMap?.takeBack(count)
                    throw error
                }
                continue
            }
            // The kernel counts a packet once it is built; one that the queue refused was counted too.
            identifierMap?.takeBack(count - (result == -ENOBUFS ? 1 : max(0, Int(result))))
            if result >= 0 { return Int(result) }
            throw failure("send", -result)
        }
    }

    /// Sends one packet: the batch call with a batch of one.
    ///
    /// - Parameters:
    ///   - packet: a whole frame on a raw packet socket, the payload otherwise.
    ///   - address: the receiver; `nil` on a raw packet socket, whose frames name it.
    ///   - id: what its transmit stamps will be known by.
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
        guard !packet.isEmpty else { throw SystemError("send", code: EINVAL, remedy: "The packet is empty.") }
        var batch = SendBatch(capacity: 1, packetBytes: packet.count)
        batch.append(id: id, options: options) { span in
            span.withUnsafeMutableBytes { $0.copyBytes(from: packet) }
            return packet.count
        }
        _ = try send(&batch)
    }
}
