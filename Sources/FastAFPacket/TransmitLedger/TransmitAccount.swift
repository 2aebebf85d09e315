/// How many sends' timestamps ended how, for each kind.
public struct TransmitAccount: Hashable, Sendable {
    /// What became of one kind of timestamp of one send.
    public enum Outcome: Int, CaseIterable, Sendable {
        /// Came in time.
        case stamped
        /// Came after the send had been written off.
        case late
        /// Never came, and the socket's buffer was found full.
        case lostInBuffer
        /// Never came, and there was room: the driver or the NIC took none.
        case skippedByDriver
        /// Not asked for: the interface does not offer it, or the send did not want it.
        case unsupported
        /// May still come.
        case pending
    }

    /// One kind's counts. Each send is in exactly one of them.
    public struct Columns: Hashable, Sendable {
        private var stamped = 0
        private var late = 0
        private var lostInBuffer = 0
        private var skippedByDriver = 0
        private var unsupported = 0
        private var pending = 0
        /// What the ids of this kind's timestamps say by themselves.
        public internal(set) var sequence = StampSequence()

        public internal(set) subscript(outcome: Outcome) -> Int {
            @inline(__always) get {
                switch outcome {
                case .stamped: stamped
                case .late: late
                case .lostInBuffer: lostInBuffer
                case .skippedByDriver: skippedByDriver
                case .unsupported: unsupported
                case .pending: pending
                }
            }
            @inline(__always) set {
                switch outcome {
                case .stamped: stamped = newValue
                case .late: late = newValue
                case .lostInBuffer: lostInBuffer = newValue
                case .skippedByDriver: skippedByDriver = newValue
                case .unsupported: unsupported = newValue
                case .pending: pending = newValue
                }
            }
        }

        public var sum: Int { stamped + late + lostInBuffer + skippedByDriver + unsupported + pending }

        /// Timestamps that were asked for and are not there: lost, skipped, or pending.
        public var missing: Int { self[.lostInBuffer] + self[.skippedByDriver] + self[.pending] }
    }

    /// Packets that the kernel took.
    public private(set) var sent = 0
    public internal(set) var sched = Columns()
    public internal(set) var software = Columns()
    public internal(set) var hardware = Columns()
    /// Timestamps that belonged to no send, or came twice.
    public internal(set) var unknownStamps = 0

    init() {}

    /// Whether each kind's counts add up to the sends.
    public var isBalanced: Bool { sched.sum == sent && software.sum == sent && hardware.sum == sent }

    /// Whether the ids of the timestamps that came leave out as many sends of each kind as the counts call missing: two
    /// ways of counting that share nothing but the ids.
    public var isConfirmedByIdentifiers: Bool {
        sched.sequence.missing == sched.missing && software.sequence.missing == software.missing
            && hardware.sequence.missing == hardware.missing
    }

    /// Enters a send that waits for these kinds.
    ///
    /// - Returns: which of each kind's sends it is.
    @inline(__always)
    mutating func recordSend(expecting kinds: TransmitStampKinds) -> StampSequence.Places {
        sent += 1
        sched[kinds.contains(.sched) ? .pending : .unsupported] += 1
        software[kinds.contains(.software) ? .pending : .unsupported] += 1
        hardware[kinds.contains(.hardware) ? .pending : .unsupported] += 1
        return StampSequence.Places(
            sched: sched.sequence.record(kinds.contains(.sched)),
            software: software.sequence.record(kinds.contains(.software)),
            hardware: hardware.sequence.record(kinds.contains(.hardware)))
    }

    /// Enters that the timestamps of these kinds came, each for the first time, of the send at these places.
    @inline(__always)
    mutating func recordStamps(_ kinds: TransmitStampKinds, of places: StampSequence.Places) {
        if kinds.contains(.sched) { sched.sequence.recordStamp(ofSend: places.sched) }
        if kinds.contains(.software) { software.sequence.recordStamp(ofSend: places.software) }
        if kinds.contains(.hardware) { hardware.sequence.recordStamp(ofSend: places.hardware) }
    }

    /// Moves one send's timestamps of these kinds from one column to another.
    @inline(__always)
    mutating func move(_ kinds: TransmitStampKinds, from: Outcome, to: Outcome) {
        if kinds.contains(.sched) {
            sched[from] -= 1
            sched[to] += 1
        }
        if kinds.contains(.software) {
            software[from] -= 1
            software[to] += 1
        }
        if kinds.contains(.hardware) {
            hardware[from] -= 1
            hardware[to] += 1
        }
    }
}
