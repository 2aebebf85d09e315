import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketConn {
    /// Takes up to a batch of transmit timestamps from the error queue, waiting for the first one until the read deadline.
    ///
    /// - Returns: the number of messages; at least 1.
    /// - Throws: `SystemError`: ETIMEDOUT after the deadline, EBADF once closed.
    @discardableResult
    public func receiveTransmitStamps(_ batch: inout StampBatch) throws(SystemError) -> Int {
        batch.messages = 0
        batch.identifiers = identifierMap
        (batch.messages, batch.foundQueueFull) = try receiveStamps(batch.storage)
        return batch.messages
    }

    /// The same without waiting: 0 where none is there.
    @discardableResult
    public func receiveTransmitStampsNow(_ batch: inout StampBatch) throws(SystemError) -> Int {
        batch.messages = 0
        batch.identifiers = identifierMap
        (batch.messages, batch.foundQueueFull) = try receiveStampsNow(batch.storage)
        return batch.messages
    }

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
        // Packets that come with their timestamps, or wait in the same buffer to be received, take room that is not seen
        // here, so the queue is asked before.
        let isFullOfPackets = queueHoldsPackets && queuedStampBytes + leastRoom >= stampBufferBytes
        storage.prepareToReceive(count: storage.capacity)
        let result = cl_recvmmsg(
            senderFD, storage.headers, UInt32(storage.capacity), Int32(MSG_DONTWAIT | MSG_ERRQUEUE))
        if result < 0, result != -EAGAIN, result != -EINTR { throw failure("receive a transmit timestamp", -result) }
        let count = max(0, Int(result))
        return (count, isFullOfPackets || isStampQueueFull(taken: count, of: storage.capacity))
    }

    /// What the next timestamp needs.
    private var leastRoom: Int { Self.stampBytes + (stampsCarryPacket ? 2 * (interface?.mtu ?? 0) : 0) }

    /// Whether the queue had no room for one more timestamp before these were taken.
    ///
    /// A full queue drops the newest timestamps and counts nothing: only how much was in it tells.
    private func isStampQueueFull(taken: Int, of capacity: Int) -> Bool {
        let bytes = (taken + 1) * Self.stampBytes
        // A queue that was emptied need not be asked.
        return taken == capacity && bytes + queuedStampBytes >= stampBufferBytes || bytes >= stampBufferBytes
    }

    /// What lies in the buffer now; 0 where the kernel does not tell. SK_MEMINFO_RMEM_ALLOC comes first in SO_MEMINFO.
    /// Source: linux/sock_diag.h.
    private var queuedStampBytes: Int {
        var bytes: UInt32 = 0
        var length = socklen_t(MemoryLayout<UInt32>.size)
        return getsockopt(senderFD, SOL_SOCKET, SO_MEMINFO, &bytes, &length) == 0 ? Int(bytes) : 0
    }

    /// Takes one transmit timestamp: the batch call with a batch of one, and room for the packet. Other messages, such as those
    /// of ``LaunchError``, are passed over.
    ///
    /// - Parameter buffer: takes the packet where ``Configuration/stampsCarryPacket`` asked for it.
    /// - Returns: the number of bytes in `buffer`, 0 for a timestamp alone; and the timestamp.
    /// - Throws: as ``receiveTransmitStamps(_:)``.
    public func receiveTransmitStamp(
        into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, stamp: TransmitStamp) {
        let message = singleMessages.take()
        defer { singleMessages.recycle(message) }
        while true {
            let result: Result<(count: Int, foundQueueFull: Bool), SystemError> = buffer.withUnsafeMutableBytes {
                bytes in
                message.batch.storage.setPacket(0, bytes)
                return Result { () throws(SystemError) in try receiveStamps(message.batch.storage) }
            }
            _ = try result.get()
            let control = message.batch.storage.receivedControl(0)
            guard let stamp = TransmitStamp(control, identifierMap) else { continue }
            return (message.batch.storage.received(0).count, stamp)
        }
    }
}
