import CLinux
import Glibc
import Kernel
import Synchronization

extension PacketRing {
    /// The kernel's counts since the last reset, and what the reader's were then.
    struct Totals: Sendable {
        var socket = Statistics()
        var reader = RingStatistics()
    }

    /// The reader's counts, for other threads to see.
    struct Published: ~Copyable {
        let packets = Atomic<UInt64>(0)
        let polls = Atomic<UInt64>(0)
        let emptyBlocks = Atomic<UInt64>(0)
        let malformed = Atomic<UInt64>(0)
    }

    /// Shows other threads what this one, which reads, has counted.
    @usableFromInline
    func publish() {
        let statistics = cursor.pointee.statistics
        published.packets.store(statistics.packets, ordering: .relaxed)
        published.polls.store(statistics.polls, ordering: .relaxed)
        published.emptyBlocks.store(statistics.emptyBlocks, ordering: .relaxed)
        published.malformed.store(statistics.malformed, ordering: .relaxed)
    }

    /// What was read since the ring was opened or reset; a read that is under way is not in it yet.
    public var statistics: RingStatistics {
        totals.withLock { totals in
            var now = counted
            now.packets -= totals.reader.packets
            now.polls -= totals.reader.polls
            now.emptyBlocks -= totals.reader.emptyBlocks
            now.malformed -= totals.reader.malformed
            return now
        }
    }

    private var counted: RingStatistics {
        var counted = RingStatistics()
        counted.packets = published.packets.load(ordering: .relaxed)
        counted.polls = published.polls.load(ordering: .relaxed)
        counted.emptyBlocks = published.emptyBlocks.load(ordering: .relaxed)
        counted.malformed = published.malformed.load(ordering: .relaxed)
        return counted
    }

    /// Begins all counts anew.
    ///
    /// - Throws: `SystemError` EBADF once closed.
    public func resetStatistics() throws(SystemError) {
        _ = try socketStatistics()
        totals.withLock { totals in
            totals.socket = Statistics()
            totals.reader = counted
        }
    }

    /// Totals of the kernel's counts since the ring was opened or reset; the kernel's own go back to zero at every read.
    ///
    /// - Throws: `SystemError` EBADF once closed.
    public func socketStatistics() throws(SystemError) -> Statistics {
        let read: Result<Statistics, SystemError> = totals.withLock { totals in
            // Under the lock, so that what the kernel sets back is added once.
            switch readKernelCounts() {
            case .success(let counts):
                totals.socket.packets += counts.packets
                totals.socket.drops += counts.drops
                totals.socket.queueFreezes += counts.queueFreezes
                return .success(totals.socket)
            case .failure(let error):
                return .failure(error)
            }
        }
        return try read.get()
    }

    /// struct tpacket_stats, or struct tpacket_stats_v3, which has one field more.
    private func readKernelCounts() -> Result<Statistics, SystemError> {
        var raw = tpacket_stats_v3()
        var length = socklen_t(
            version == .v3 ? MemoryLayout<tpacket_stats_v3>.size : MemoryLayout<tpacket_stats>.size)
        guard getsockopt(socket.rawValue, CL_SOL_PACKET, PACKET_STATISTICS, &raw, &length) == 0 else {
            return .failure(unlessClosed(SystemError("read the statistics", code: errno)))
        }
        var counts = Statistics()
        counts.packets = UInt64(raw.tp_packets)
        counts.drops = UInt64(raw.tp_drops)
        counts.queueFreezes = UInt64(raw.tp_freeze_q_cnt)
        return .success(counts)
    }
}
