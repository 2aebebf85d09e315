/// The book of what became of every send's transmit stamps. One thread's: the one that sends and reads the stamps.
///
/// Ids are expected to rise by one from send to send. For each kind of stamp every send is in exactly one column of
/// ``account``, so each kind's sum equals the sends.
public struct TransmitLedger: ~Copyable, Sendable {
    private struct Entry {
        var id: UInt32 = 0
        var isUsed = false
        var waiting: TransmitStampKinds = []
        var lost: TransmitStampKinds = []
        var skipped: TransmitStampKinds = []
        var metFullQueue = false
        var sentAt: Int64 = 0
    }

    private var entries: [Entry]
    private let mask: UInt32
    /// The oldest id that may still wait, and the one that follows the newest.
    private var oldest: UInt32 = 0
    private var end: UInt32 = 0
    /// The kinds that every send waits for.
    public let expected: TransmitStampKinds
    public private(set) var account: TransmitAccount

    /// - Parameters:
    ///   - capacity: sends that may wait at a time, rounded up to a power of two. An older one that still waits when
    ///     its place is needed is written off.
    ///   - expected: the kinds that the connection asks for: ``PacketConn/transmitStamps``.
    public init(capacity: Int, expecting expected: TransmitStampKinds) {
        var size = 16
        while size < capacity, size < 1 << 24 { size <<= 1 }
        entries = Array(repeating: Entry(), count: size)
        mask = UInt32(size - 1)
        self.expected = expected
        account = TransmitAccount(expected: expected)
    }

    /// Enters a packet that was sent. O(1).
    ///
    /// - Parameter time: CLOCK_MONOTONIC nanoseconds.
    public mutating func recordSend(id: UInt32, at time: Int64) {
        if account.sent == 0 || id != end { oldest = id }
        let slot = Int(id & mask)
        writeOff(slot)
        entries[slot] = Entry(id: id, isUsed: true, waiting: expected, sentAt: time)
        end = id &+ 1
        account.enterSend()
    }

    /// Why a stamp does not count for a send.
    public enum Match: Hashable, Sendable {
        /// The send waited for it. `isComplete`: it was the last one.
        case stamped(isComplete: Bool)
        /// The send had been written off.
        case late
        /// No such send, or it had this stamp already.
        case unknown
    }

    /// Enters the kinds that one stamp message brought. O(1).
    public mutating func recordStamp(_ stamp: TransmitStamp) -> Match {
        let slot = Int(stamp.id & mask)
        guard entries[slot].isUsed, entries[slot].id == stamp.id else {
            account.unknownStamps &+= 1
            return .unknown
        }
        let kinds = stamp.kinds
        let inTime = entries[slot].waiting.intersection(kinds)
        let late = entries[slot].lost.union(entries[slot].skipped).intersection(kinds)
        account.move(inTime, from: .pending, to: .stamped)
        account.move(late.intersection(entries[slot].lost), from: .lostInBuffer, to: .late)
        account.move(late.intersection(entries[slot].skipped), from: .skippedByDriver, to: .late)
        entries[slot].waiting.subtract(kinds)
        entries[slot].lost.subtract(kinds)
        entries[slot].skipped.subtract(kinds)
        if !inTime.isEmpty { return .stamped(isComplete: entries[slot].waiting.isEmpty) }
        if !late.isEmpty { return .late }
        account.unknownStamps &+= 1
        return .unknown
    }

    /// Remembers that the error queue was found full: what waits now and never comes was lost there.
    public mutating func recordFullQueue() {
        for index in entries.indices where entries[index].isUsed && !entries[index].waiting.isEmpty {
            entries[index].metFullQueue = true
        }
    }

    /// Writes off the sends before `time` whose stamps have not all come.
    ///
    /// - Parameters:
    ///   - time: CLOCK_MONOTONIC nanoseconds; `.max` for all that wait.
    ///   - body: called for each with its id, the kinds that were lost in the socket's buffer, and those that never
    ///     came although there was room.
    public mutating func expire(
        sentBefore time: Int64,
        _ body: (_ id: UInt32, _ lost: TransmitStampKinds, _ skipped: TransmitStampKinds) -> Void
    ) {
        if end &- oldest > mask { oldest = end &- (mask &+ 1) }
        while oldest != end {
            let slot = Int(oldest & mask)
            if entries[slot].isUsed, entries[slot].id == oldest, !entries[slot].waiting.isEmpty {
                guard entries[slot].sentAt < time else { return }
                writeOff(slot)
                body(oldest, entries[slot].lost, entries[slot].skipped)
            }
            oldest &+= 1
        }
    }

    private mutating func writeOff(_ slot: Int) {
        let missing = entries[slot].waiting
        guard !missing.isEmpty else { return }
        if entries[slot].metFullQueue {
            entries[slot].lost = missing
            account.move(missing, from: .pending, to: .lostInBuffer)
        } else {
            entries[slot].skipped = missing
            account.move(missing, from: .pending, to: .skippedByDriver)
        }
        entries[slot].waiting = []
    }
}
