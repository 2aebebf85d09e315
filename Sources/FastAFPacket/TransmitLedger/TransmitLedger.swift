/// The book of what became of every send's transmit timestamps. One thread's: the one that sends and reads the timestamps.
///
/// For each kind of timestamp every send is in exactly one column of ``account``, so each kind's sum equals the sends. The
/// ids themselves are a second witness: ``TransmitAccount/Columns/sequence``. Ids may come in any order and wrap; they
/// find their place by their low bits, so ids that rise by one make the best use of it.
public struct TransmitLedger: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory is this value's own.
    private struct Entry {
        var id: UInt32 = 0
        /// Which send it was, counted from 0; below zero in a place not used yet.
        var send = -1
        var waiting: TransmitStampKinds = []
        var lost: TransmitStampKinds = []
        var skipped: TransmitStampKinds = []
        /// Asked for and not come yet, whether written off or not: kept apart from the three, as their witness.
        var absent: TransmitStampKinds = []
        var sentAt: Int64 = 0
        var places = StampSequence.Places()
    }

    private let entries: UnsafeMutablePointer<Entry>
    /// The places of the latest sends, in the order of sending: a gap in the ids must not hide what waits before it.
    private let order: UnsafeMutablePointer<UInt32>
    private let mask: UInt32
    /// The oldest send that may still wait, counted as in ``Entry/send``.
    private var oldest = 0
    /// What waits now and was sent before this one met a full queue.
    private var metFullQueue = 0
    /// The kinds that a send waits for unless it is entered with others.
    public let expected: TransmitStampKinds
    public private(set) var account: TransmitAccount

    /// - Parameters:
    ///   - capacity: sends that may wait at a time, rounded up to a power of two. An older one that still waits when
    ///     its place is needed is written off.
    ///   - expected: the kinds that the connection asks for: ``PacketConn/transmitStamps``.
    public init(capacity: Int, expecting expected: TransmitStampKinds) {
        var size = 16
        while size < capacity, size < 1 << 24 { size <<= 1 }
        entries = .allocate(capacity: size)
        entries.initialize(repeating: Entry(), count: size)
        order = .allocate(capacity: size)
        order.initialize(repeating: 0, count: size)
        mask = UInt32(size - 1)
        self.expected = expected
        account = TransmitAccount()
    }

    deinit {
        entries.deallocate()
        order.deallocate()
    }

    /// Enters a packet that was sent. O(1).
    ///
    /// - Parameters:
    ///   - id: as it was given to the send.
    ///   - time: CLOCK_MONOTONIC nanoseconds.
    ///   - kinds: the timestamps that this send asked for, where they are not those of the connection; `[]` for none.
    public mutating func recordSend(id: UInt32, at time: Int64, expecting kinds: TransmitStampKinds? = nil) {
        let send = account.sent
        if send - oldest > Int(mask) {
            if let slot = slot(ofSend: oldest) { writeOff(slot) }
            oldest += 1
        }
        let slot = Int(id & mask)
        if !entries[slot].waiting.isEmpty { writeOff(slot) }
        let kinds = kinds ?? expected
        let places = account.recordSend(expecting: kinds)
        entries[slot] = Entry(id: id, send: send, waiting: kinds, absent: kinds, sentAt: time, places: places)
        order[send & Int(mask)] = id & mask
    }

    /// Why a timestamp does not count for a send.
    public enum Match: Hashable, Sendable {
        /// The send waited for it. `isComplete`: it was the last one.
        case stamped(isComplete: Bool)
        /// The send had been written off.
        case late
        /// No such send, or it had this timestamp already.
        case unknown
    }

    /// Enters the kinds that one timestamp message brought. O(1).
    public mutating func recordStamp(_ stamp: TransmitStamp) -> Match {
        let entry = entries + Int(stamp.id & mask)
        guard entry.pointee.send >= 0, entry.pointee.id == stamp.id else {
            account.unknownStamps &+= 1
            return .unknown
        }
        let kinds = stamp.kinds
        let first = entry.pointee.absent.intersection(kinds)
        account.recordStamps(first, of: entry.pointee.places)
        entry.pointee.absent.subtract(first)
        let inTime = entry.pointee.waiting.intersection(kinds)
        if !inTime.isEmpty {
            account.move(inTime, from: .pending, to: .stamped)
            entry.pointee.waiting.subtract(inTime)
        }
        // What came for the first time and is waited for no more was written off.
        let late = first.subtracting(inTime)
        if !late.isEmpty {
            account.move(late.intersection(entry.pointee.lost), from: .lostInBuffer, to: .late)
            account.move(late.intersection(entry.pointee.skipped), from: .skippedByDriver, to: .late)
            entry.pointee.lost.subtract(late)
            entry.pointee.skipped.subtract(late)
        }
        if !inTime.isEmpty { return .stamped(isComplete: entry.pointee.waiting.isEmpty) }
        if !late.isEmpty { return .late }
        account.unknownStamps &+= 1
        return .unknown
    }

    /// Remembers that the error queue was found full: what waits now and never comes was lost there. O(1).
    public mutating func recordFullQueue() { metFullQueue = account.sent }

    /// Writes off the sends before `time` whose timestamps have not all come, in the order of sending.
    ///
    /// - Parameters:
    ///   - time: CLOCK_MONOTONIC nanoseconds; `.max` for all that wait.
    ///   - body: called for each with its id, the kinds that were lost in the socket's buffer, and those that never
    ///     came although there was room.
    public mutating func expire(
        sentBefore time: Int64,
        _ body: (_ id: UInt32, _ lost: TransmitStampKinds, _ skipped: TransmitStampKinds) -> Void
    ) {
        while oldest < account.sent {
            if let slot = slot(ofSend: oldest), !entries[slot].waiting.isEmpty {
                guard entries[slot].sentAt < time else { return }
                writeOff(slot)
                body(entries[slot].id, entries[slot].lost, entries[slot].skipped)
            }
            oldest += 1
        }
    }

    /// The place of one of the latest sends, unless a later one has taken it.
    private func slot(ofSend send: Int) -> Int? {
        let slot = Int(order[send & Int(mask)])
        return entries[slot].send == send ? slot : nil
    }

    private mutating func writeOff(_ slot: Int) {
        let missing = entries[slot].waiting
        guard !missing.isEmpty else { return }
        if entries[slot].send < metFullQueue {
            entries[slot].lost.formUnion(missing)
            account.move(missing, from: .pending, to: .lostInBuffer)
        } else {
            entries[slot].skipped.formUnion(missing)
            account.move(missing, from: .pending, to: .skippedByDriver)
        }
        entries[slot].waiting = []
    }
}
