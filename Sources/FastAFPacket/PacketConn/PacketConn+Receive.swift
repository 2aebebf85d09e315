import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketConn {
    /// Receives up to a batch of packets with their timestamps. Waits for the first one until the read deadline.
    ///
    /// - Returns: the number of packets, at least 1.
    /// - Throws: `SystemError`: ETIMEDOUT after the deadline, EBADF once closed, ENETDOWN once when the interface goes
    ///   down (the connection continues when it comes up again), ENXIO once the interface is deleted.
    @discardableResult
    public func receive(_ batch: inout ReceiveBatch) throws(SystemError) -> Int {
        batch.removeAll()
        batch.count = try receive(batch.storage)
        return batch.count
    }

    /// Receives up to a batch of packets without waiting; 0 if there is none.
    @discardableResult
    public func receiveNow(_ batch: inout ReceiveBatch) throws(SystemError) -> Int {
        batch.removeAll()
        batch.count = try receiveNow(batch.storage)
        return batch.count
    }

    /// - Parameter storage: prepared to receive.
    private func receive(_ storage: borrowing MessageStorage) throws(SystemError) -> Int {
        try blocking(on: readEvents) { () throws(SystemError) in
            while true {
                let count = try receiveNow(storage)
                if count > 0 { return count }
                try wait("receive", readEvents, deadline: readDeadline)
            }
        }
    }

    private func receiveNow(_ storage: borrowing MessageStorage) throws(SystemError) -> Int {
        let result = cl_recvmmsg(
            receiver.rawValue, storage.headers, UInt32(storage.capacity), Int32(MSG_DONTWAIT | MSG_TRUNC))
        switch -result {
        case ENETDOWN:
            isDown.store(true, ordering: .relaxed)
        case EAGAIN:
            guard isDown.load(ordering: .relaxed), receiver.isBoundInterfaceGone else { return 0 }
            throw SystemError("receive", code: ENXIO, remedy: "The interface has been deleted.")
        case EINTR:
            return 0
        case let error where error <= 0:
            if isDown.load(ordering: .relaxed) { isDown.store(false, ordering: .relaxed) }
            if interface == nil { receivedDatagrams.wrappingAdd(UInt64(result), ordering: .relaxed) }
            return Int(result)
        default:
            break
        }
        throw failure("receive", -result)
    }

    /// Receives one packet with its timestamps directly into `buffer`: a receive with a batch of one.
    ///
    /// - Parameter buffer: receives the packet; a longer packet is truncated and marked so.
    /// - Returns: the number of bytes in `buffer`, and the packet's metadata.
    /// - Throws: as ``receive(_:)``.
    public func receive(
        into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, packet: ReceivedPacket) {
        let message = singleMessages.take()
        defer { singleMessages.recycle(message) }
        let result: Result<Int, SystemError> = buffer.withUnsafeMutableBytes { bytes in
            message.received.setPacket(0, bytes)
            message.received.prepareToReceive(count: 1)
            return Result { () throws(SystemError) in try receive(message.received) }
        }
        _ = try result.get()
        let packet = ReceivedPacket(message.received, 0)
        return (min(packet.length, buffer.count), packet)
    }

    /// Receives one packet and its sender's address.
    ///
    /// - Returns: the number of bytes in `buffer` and the link-layer address; `nil` on a UDP connection.
    /// - Throws: as ``receive(_:)``; EMSGSIZE for a packet that is longer than `buffer`, which is filled.
    public func readFrom(into buffer: inout [UInt8]) throws(SystemError) -> (count: Int, address: LinkAddress?) {
        let (count, packet) = try receive(into: &buffer)
        if packet.isTruncated {
            throw SystemError(
                "read", code: EMSGSIZE, remedy: "The packet has \(packet.length) bytes: use a larger buffer.")
        }
        return (count, packet.link)
    }

    /// Replaces the receive half's filter. Source: SO_ATTACH_FILTER in socket(7).
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel rejects, EBADF once closed.
    public func setFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try receiver.attach(filter) } catch { throw unlessClosed(error) }
    }

    /// Totals since the connection was opened. On a UDP connection `packets` are those received; those dropped by a
    /// filter or because the buffer was full are not included in them: SK_MEMINFO_DROPS in linux/sock_diag.h.
    ///
    /// - Throws: `SystemError` once the connection is closed.
    public func statistics() throws(SystemError) -> Statistics {
        guard interface != nil else { return try datagramStatistics() }
        do throws(SystemError) {
            // Under the lock, so that counts that the kernel has reset are added once.
            return try totals.withLock { totals throws(SystemError) in
                totals += try receiver.takePacketCounts()
                return totals
            }
        } catch {
            throw unlessClosed(error)
        }
    }

    private func datagramStatistics() throws(SystemError) -> Statistics {
        // Nine numbers; the last is the drops.
        var memory = (SIMD8<UInt32>(), UInt32(0))
        var length = socklen_t(9 * MemoryLayout<UInt32>.size)
        guard getsockopt(receiver.rawValue, SOL_SOCKET, SO_MEMINFO, &memory, &length) == 0 else {
            throw failure("read the statistics", errno)
        }
        var statistics = Statistics()
        statistics.packets = receivedDatagrams.load(ordering: .relaxed)
        statistics.drops = UInt64(memory.1)
        return statistics
    }
}
