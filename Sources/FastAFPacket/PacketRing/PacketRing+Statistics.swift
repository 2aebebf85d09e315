import CLinux
import Glibc
import LinuxKernel
import Synchronization

extension PacketRing {
    /// The kernel's counts since the last reset, and the reader's counts at that reset.
    struct Totals: Sendable {
        var socket = Statistics()
        var reader = RingStatistics()
    }

    /// The reader's counts, published for other threads.
    struct Published: ~Copyable {
        let packets = Atomic<UInt64>(0)
        let polls = Atomic<UInt64>(0)
        let emptyBlocks = Atomic<UInt64>(0)
        let malformed = Atomic<UInt64>(0)
    }

    /// Publishes the reader's counts.
    @usableFromInline
    func publish() {
        let statistics = cursor.pointee.statistics
        published.packets.store(statistics.packets, ordering: .relaxed)
        published.polls.store(statistics.polls, ordering: .relaxed)
        published.emptyBlocks.store(statistics.emptyBlocks, ordering: .relaxed)
        published.malformed.store(statistics.malformed, ordering: .relaxed)
    }

    /// The reader's counts since the ring was opened or reset, without a read in progress.
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

    /// Resets all counts to zero.
    ///
    /// - Throws: `SystemError` EBADF once closed.
    public func resetStatistics() throws(SystemError) {
        _ = try socketStatistics()
        totals.withLock { totals in
            totals.socket = Statistics()
            totals.reader = counted
        }
    }

    /// Totals of the kernel's counts since the ring was opened or reset. The kernel resets its counters at every read.
    ///
    /// - Throws: `SystemError` EBADF once closed.
    public func socketStatistics() throws(SystemError) -> Statistics {
        do throws(SystemError) {
            // Under the lock, so that counts that the kernel has reset are added once.
            return try totals.withLock { totals throws(SystemError) in
                totals.socket += try socket.takePacketCounts()
                return totals.socket
            }
        } catch {
            throw unlessClosed(error)
        }
    }
}
