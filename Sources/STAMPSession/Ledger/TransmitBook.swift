import Report

/// The book of one session's transmit timestamps: for each kind, every packet that was sent is in exactly one column.
@usableFromInline
struct TransmitBook: Sendable {
    /// The column that one kind of timestamp of one packet is in.
    enum Column: UInt8, CaseIterable, Sendable, BitwiseCopyable {
        /// Not requested: the interface does not offer it.
        case unsupported
        /// May still arrive.
        case pending
        case stamped
        /// Arrived after it had been written off.
        case late
        /// Did not arrive, and the socket's buffer was found full.
        case lostInBuffer
        /// Did not arrive, and the buffer had room.
        case skippedByDriver
        /// The NIC was busy with the timestamp of another packet.
        case inFlight
        /// No timestamp of this kind ever arrived.
        case never
    }

    /// The columns that one packet is in. The packet's slot keeps them.
    struct Entry: Sendable, BitwiseCopyable {
        fileprivate(set) var sched = Column.unsupported
        fileprivate(set) var software = Column.unsupported
        fileprivate(set) var hardware = Column.unsupported

        /// True if a timestamp may still arrive in time.
        var isWaiting: Bool { sched == .pending || software == .pending || hardware == .pending }
    }

    /// The counts of one kind, by column.
    private struct Counts: Sendable {
        var values = InlineArray<8, Int>(repeating: 0)

        mutating func enter(_ column: Column) { values[Int(column.rawValue)] += 1 }

        mutating func move(_ column: inout Column, to new: Column) {
            values[Int(column.rawValue)] -= 1
            values[Int(new.rawValue)] += 1
            column = new
        }

        func kind(_ name: String) -> TimestampLedger.Kind {
            func count(_ column: Column) -> Int { values[Int(column.rawValue)] }
            return TimestampLedger.Kind(
                name: name, stamped: count(.stamped), late: count(.late), lostInBuffer: count(.lostInBuffer),
                skippedByDriver: count(.skippedByDriver), inFlight: count(.inFlight), never: count(.never),
                unsupported: count(.unsupported), pending: count(.pending))
        }
    }

    /// The kinds that every packet requests.
    let expected: StampKinds
    private var sent = 0
    /// The packets that wait for a timestamp.
    @usableFromInline private(set) var waiting = 0
    private var sched = Counts()
    private var software = Counts()
    private var hardware = Counts()
    /// Timestamps that no packet waited for: duplicates, and those of unknown packets.
    private(set) var unknownStamps: UInt64 = 0

    init(expecting expected: StampKinds) { self.expected = expected }

    /// The book for the summary.
    var ledger: TimestampLedger {
        TimestampLedger(
            sent: sent, kinds: [sched.kind("sched"), software.kind("software"), hardware.kind("hardware")])
    }

    /// Enters a packet that the kernel accepted.
    mutating func enter() -> Entry {
        sent += 1
        let entry = Entry(
            sched: expected.contains(.sched) ? .pending : .unsupported,
            software: expected.contains(.software) ? .pending : .unsupported,
            hardware: expected.contains(.hardware) ? .pending : .unsupported)
        sched.enter(entry.sched)
        software.enter(entry.software)
        hardware.enter(entry.hardware)
        if entry.isWaiting { waiting += 1 }
        return entry
    }

    /// The meaning of a timestamp for its packet.
    enum Match: Hashable {
        /// The packet waited for it. `isComplete`: it waits for no other.
        case stamped(isComplete: Bool)
        /// It had been written off.
        case late
        /// A duplicate, or a kind that was not requested.
        case unknown
    }

    /// Records the kinds that one message carries.
    mutating func record(_ kinds: StampKinds, of entry: inout Entry) -> Match {
        var (isInTime, isLate) = (false, false)
        func arrive(_ counts: inout Counts, _ column: inout Column) {
            switch column {
            case .pending:
                counts.move(&column, to: .stamped)
                isInTime = true
            case .lostInBuffer, .skippedByDriver, .inFlight, .never:
                counts.move(&column, to: .late)
                isLate = true
            case .unsupported, .stamped, .late: break
            }
        }
        if kinds.contains(.sched) { arrive(&sched, &entry.sched) }
        if kinds.contains(.software) { arrive(&software, &entry.software) }
        if kinds.contains(.hardware) { arrive(&hardware, &entry.hardware) }
        if isInTime {
            if !entry.isWaiting { waiting -= 1 }
            return .stamped(isComplete: !entry.isWaiting)
        }
        if isLate { return .late }
        recordUnknown()
        return .unknown
    }

    /// Records a timestamp of a packet that is not known.
    mutating func recordUnknown() { unknownStamps &+= 1 }

    /// Writes off the timestamps that a packet still waits for.
    ///
    /// - Parameters:
    ///   - wasQueueFull: true if the error queue was found full after the packet was sent.
    ///   - hardwareReason: called if the packet lacks nothing but the NIC's timestamp.
    /// - Returns: the reason why a better timestamp is missing.
    mutating func writeOff(
        _ entry: inout Entry, wasQueueFull: Bool, hardwareReason: () -> MissingReason
    ) -> MissingReason {
        var (column, reason): (Column, MissingReason) =
            wasQueueFull ? (.lostInBuffer, .bufferFull) : (.skippedByDriver, .skippedByDriver)
        // A packet that never reached the driver lacks the driver's timestamp too, and no counter of the NIC explains it.
        if !wasQueueFull, entry.hardware == .pending, entry.sched != .pending, entry.software != .pending {
            reason = hardwareReason()
            column = reason == .inFlight ? .inFlight : reason == .never ? .never : .skippedByDriver
        }
        if entry.isWaiting { waiting -= 1 }
        if entry.sched == .pending { sched.move(&entry.sched, to: column) }
        if entry.software == .pending { software.move(&entry.software, to: column) }
        if entry.hardware == .pending { hardware.move(&entry.hardware, to: column) }
        return reason
    }
}
