/// The outcome of every send's transmit timestamps. Belongs to one thread, which sends and reads the timestamps.
///
/// For each kind of timestamp every send is in exactly one column of ``account``, so each kind's sum equals the sends.
/// The gaps in the ids are an independent count: ``TransmitAccount/Columns/sequence``. Ids may come in any order and
/// wrap. Their low bits are their index in the table, so consecutive ids use it best.
public struct TransmitLedger: ~Copyable, @unchecked Sendable {
    // @unchecked: this value is the only owner of the memory.
    private struct Entry {
        /// The number of the send, counted from 0; negative in an unused entry.
        var send = -1
        var sentAt: Int64 = 0
        var places = StampSequence.Places()
        var id: UInt32 = 0
        var waiting: TransmitStampKinds = []
        var lost: TransmitStampKinds = []
        var skipped: TransmitStampKinds = []
        /// Requested and not arrived, whether written off or not. Separate from the three above, so that
        /// ``StampSequence`` is independent of them.
        var absent: TransmitStampKinds = []
    }

    private let entries: UnsafeMutablePointer<Entry>
    /// The entries of the latest sends, in the order of sending, so that a gap in the ids does not hide earlier sends.
    private let order: UnsafeMutablePointer<UInt32>
    private let mask: UInt32
    /// The oldest send that may still wait, numbered as ``Entry/send``.
    private var oldest = 0
    /// Sends with a lower number that still wait were sent before the error queue was last found full.
    private var sendsBeforeFullQueue = 0
    /// The kinds that a send waits for unless it is recorded with others.
    public let expected: TransmitStampKinds
    public private(set) var account: TransmitAccount

    /// - Parameters:
    ///   - capacity: the number of sends that can wait at a time, rounded up to a power of two. A send that still waits
    ///     when its entry is needed is written off.
    ///   - expected: the kinds that the connection requests: ``PacketConn/transmitStamps``.
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

    /// Records a packet that was sent. O(1).
    ///
    /// - Parameters:
    ///   - id: the id given to the send.
    ///   - time: the time of the send, in CLOCK_MONOTONIC nanoseconds.
    ///   - kinds: the timestamps that this send requested, if they differ from the connection's; `[]` for none.
    public mutating func recordSend(id: UInt32, at time: Int64, expecting kinds: TransmitStampKinds? = nil) {
        let send = account.sent
        if send &- oldest > Int(mask) {
            if let slot = slot(ofSend: oldest), !entries[slot].waiting.isEmpty { writeOff(slot) }
            oldest &+= 1
        }
        let slot = Int(id & mask)
        if !entries[slot].waiting.isEmpty { writeOff(slot) }
        let kinds = kinds ?? expected
        let places = account.recordSend(expecting: kinds)
        entries[slot] = Entry(send: send, sentAt: time, places: places, id: id, waiting: kinds, absent: kinds)
        order[send & Int(mask)] = id & mask
    }

    /// The result of matching a timestamp with its send.
    public enum Match: Hashable, Sendable {
        /// The send waited for it. `isComplete`: it waits for no other.
        case stamped(isComplete: Bool)
        /// The send had been written off.
        case late
        /// No such send, or a duplicate.
        case unknown
    }

    /// Records the kinds that one timestamp message carries. O(1).
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
        // A first timestamp that the send no longer waits for had been written off.
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

    /// Records that the error queue was found full: timestamps now waiting that never arrive were lost there. O(1).
    public mutating func recordFullQueue() { sendsBeforeFullQueue = account.sent }

    /// Writes off the sends before `time` whose timestamps have not all arrived, in the order of sending.
    ///
    /// - Parameters:
    ///   - time: in CLOCK_MONOTONIC nanoseconds; `.max` for all that wait.
    ///   - body: called for each send with its id, the kinds lost in the socket's buffer, and the kinds skipped
    ///     although there was room.
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

    /// The entry of one of the latest sends, unless a later one has replaced it.
    private func slot(ofSend send: Int) -> Int? {
        let slot = Int(order[send & Int(mask)])
        return entries[slot].send == send ? slot : nil
    }

    private mutating func writeOff(_ slot: Int) {
        let missing = entries[slot].waiting
        guard !missing.isEmpty else { return }
        if entries[slot].send < sendsBeforeFullQueue {
            entries[slot].lost.formUnion(missing)
            account.move(missing, from: .pending, to: .lostInBuffer)
        } else {
            entries[slot].skipped.formUnion(missing)
            account.move(missing, from: .pending, to: .skippedByDriver)
        }
        entries[slot].waiting = []
    }
}
