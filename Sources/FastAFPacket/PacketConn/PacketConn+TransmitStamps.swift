import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketConn {
    /// Reads up to a batch of transmit timestamps from the error queue. Waits for the first one until the read
    /// deadline.
    ///
    /// - Returns: the number of messages, at least 1.
    /// - Throws: `SystemError`: ETIMEDOUT after the deadline, EBADF once closed.
    @discardableResult
    public func receiveTransmitStamps(_ batch: inout StampBatch) throws(SystemError) -> Int {
        batch.removeAll()
        batch.identifiers = identifierMap
        (batch.messages, batch.foundQueueFull) = try receiveStamps(batch.storage)
        return batch.messages
    }

    /// Reads up to a batch of transmit timestamps without waiting; 0 if there is none.
    @discardableResult
    public func receiveTransmitStampsNow(_ batch: inout StampBatch) throws(SystemError) -> Int {
        batch.removeAll()
        batch.identifiers = identifierMap
        (batch.messages, batch.foundQueueFull) = try receiveStampsNow(batch.storage)
        return batch.messages
    }

    /// - Parameter storage: prepared to receive.
    private func receiveStamps(
        _ storage: borrowing MessageStorage
    ) throws(SystemError) -> (count: Int, foundQueueFull: Bool) {
        try blocking(on: stampEvents) { () throws(SystemError) in
            while true {
                let taken = try receiveStampsNow(storage)
                if taken.count > 0 { return taken }
                try wait("receive a transmit timestamp", stampEvents, deadline: readDeadline)
            }
        }
    }

    private func receiveStampsNow(
        _ storage: borrowing MessageStorage
    ) throws(SystemError) -> (count: Int, foundQueueFull: Bool) {
        // Packets that return with their timestamps, or wait in the same buffer to be received, take room that is not
        // visible here, so the queue is queried before the read.
        let isFullOfPackets = queueHoldsPackets && queuedStampBytes + nextStampBytes >= stampBufferBytes
        let result = cl_recvmmsg(
            senderFD, storage.headers, UInt32(storage.capacity), Int32(MSG_DONTWAIT | MSG_ERRQUEUE))
        if result < 0, result != -EAGAIN, result != -EINTR { throw failure("receive a transmit timestamp", -result) }
        let count = max(0, Int(result))
        return (count, isFullOfPackets || isStampQueueFull(taken: count, of: storage.capacity))
    }

    /// The buffer bytes that the next timestamp needs.
    private var nextStampBytes: Int { Self.stampBytes + (stampsCarryPacket ? 2 * (interface?.mtu ?? 0) : 0) }

    /// Returns whether the queue had no room for one more timestamp before this read.
    ///
    /// A full queue drops the newest timestamps and does not count them; only its fill level shows it.
    private func isStampQueueFull(taken: Int, of capacity: Int) -> Bool {
        let bytes = (taken + 1) * Self.stampBytes
        // A queue that was emptied need not be queried.
        return taken == capacity && bytes + queuedStampBytes >= stampBufferBytes || bytes >= stampBufferBytes
    }

    /// The bytes in the buffer now; 0 if the kernel does not report them. SK_MEMINFO_RMEM_ALLOC is the first value of
    /// SO_MEMINFO. Source: linux/sock_diag.h.
    private var queuedStampBytes: Int {
        var bytes: UInt32 = 0
        var length = socklen_t(MemoryLayout<UInt32>.size)
        return getsockopt(senderFD, SOL_SOCKET, SO_MEMINFO, &bytes, &length) == 0 ? Int(bytes) : 0
    }

    /// Reads one transmit timestamp: a read with a batch of one, and room for the packet. Skips other messages, such as
    /// those of ``LaunchError``.
    ///
    /// - Parameter buffer: receives the packet if ``Configuration/stampsCarryPacket`` requested it.
    /// - Returns: the number of bytes in `buffer`, 0 for a timestamp alone, and the timestamp.
    /// - Throws: as ``receiveTransmitStamps(_:)``.
    public func receiveTransmitStamp(
        into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, stamp: TransmitStamp) {
        let message = singleMessages.take()
        defer { singleMessages.recycle(message) }
        while true {
            let result: Result<(count: Int, foundQueueFull: Bool), SystemError> = buffer.withUnsafeMutableBytes {
                bytes in
                message.received.setPacket(0, bytes)
                message.received.prepareToReceive(count: 1)
                return Result { () throws(SystemError) in try receiveStamps(message.received) }
            }
            _ = try result.get()
            guard let stamp = TransmitStamp(message.received.receivedControl(0), identifierMap) else { continue }
            return (message.received.received(0).count, stamp)
        }
    }
}
