import CLinux
import Glibc
import LinuxKernel
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
        do throws(SystemError) {
            // Under the lock, so that what the kernel sets back is added once.
            return try totals.withLock { totals throws(SystemError) in
                totals.socket += try socket.takePacketCounts()
                return totals.socket
            }
        } catch {
            throw unlessClosed(error)
        }
    }
}
