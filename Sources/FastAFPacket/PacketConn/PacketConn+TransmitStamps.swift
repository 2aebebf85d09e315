import CLinux
import Glibc
import Kernel
import Synchronization

extension PacketConn {
    /// Takes up to a batch of transmit stamps from the error queue, waiting for the first one until the read deadline.
    ///
    /// - Returns: the number of messages; at least 1.
    /// - Throws: ``SystemError``: ETIMEDOUT after the deadline, EBADF once closed.
    @discardableResult
    public func receiveTransmitStamps(_ batch: inout StampBatch) throws(SystemError) -> Int {
        while true {
            let count = try receiveTransmitStampsNow(&batch)
            if count > 0 { return count }
            try wait("receive a transmit stamp", stampEvents, deadline: readDeadline)
        }
    }

    /// The same without waiting: 0 where none is there.
    @discardableResult
    public func receiveTransmitStampsNow(_ batch: inout StampBatch) throws(SystemError) -> Int {
        batch.identifiers = identifierMap
        // A packet that comes with its stamp takes more room than is seen of it here, so the queue is asked before.
        let isFullOfPackets =
            queueHoldsPackets && queuedStampBytes + Self.stampBytes + 2 * (interface?.mtu ?? 0) >= stampBufferBytes
        batch.storage.prepareToReceive(count: batch.capacity)
        let result = cl_recvmmsg(
            senderFD, batch.storage.headers, UInt32(batch.capacity),
            Int32(MSG_DONTWAIT | MSG_ERRQUEUE))
        batch.messages = max(0, Int(result))
        batch.foundQueueFull = isFullOfPackets || isStampQueueFull(taken: batch.messages, of: batch.capacity)
        if result >= 0 { return batch.messages }
        if result == -EAGAIN || result == -EINTR { return 0 }
        throw failure("receive a transmit stamp", -result)
    }

    /// Whether the queue had no room for one more stamp before these were taken.
    ///
    /// A full queue drops the newest stamps and counts nothing: only how much was in it tells.
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

    /// Takes one transmit stamp: the batch call with a batch of one, and room for the packet.
    ///
    /// - Parameter buffer: takes the packet where ``Configuration/stampsCarryPacket`` asked for it.
    /// - Returns: the number of bytes in `buffer`, 0 for a stamp alone; and the stamp.
    /// - Throws: as ``receiveTransmitStamps(_:)``.
    public func receiveTransmitStamp(
        into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, stamp: TransmitStamp) {
        var batch = StampBatch(capacity: 1, packetBytes: buffer.count)
        while true {
            try receiveTransmitStamps(&batch)
            guard let stamp = TransmitStamp(batch.storage.receivedControl(0), batch.identifiers) else { continue }
            let bytes = batch.storage.received(0)
            let count = min(bytes.count, buffer.count)
            buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
            return (count, stamp)
        }
    }
}
