/// The number of sends per outcome, for each kind of timestamp.
public struct TransmitAccount: Hashable, Sendable {
    /// The outcome of one kind of timestamp of one send.
    public enum Outcome: Int, CaseIterable, Sendable {
        /// Arrived in time.
        case stamped
        /// Arrived after the send had been written off.
        case late
        /// Did not arrive, and the socket's buffer was found full.
        case lostInBuffer
        /// Did not arrive, and the buffer had room: the driver or the NIC did not timestamp the packet.
        case skippedByDriver
        /// Not requested: the interface does not offer it, or the send did not want it.
        case unsupported
        /// May still arrive.
        case pending
    }

    /// The counts of one kind. Each send is in exactly one of them.
    public struct Columns: Hashable, Sendable {
        private var stamped = 0
        private var late = 0
        private var lostInBuffer = 0
        private var skippedByDriver = 0
        private var unsupported = 0
        private var pending = 0
        /// The gaps in the ids of this kind's timestamps, an independent count.
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

        /// Records a send that waits for this kind or did not request it, without a branch.
        ///
        /// - Returns: its index among the sends of this kind.
        @inline(__always)
        fileprivate mutating func recordSend(_ isExpected: Bool) -> Int {
            pending &+= isExpected ? 1 : 0
            unsupported &+= isExpected ? 0 : 1
            return sequence.record(isExpected)
        }

        @inline(__always)
        fileprivate mutating func move(_ from: Outcome, _ to: Outcome) {
            self[from] &-= 1
            self[to] &+= 1
        }

        public var sum: Int { stamped + late + lostInBuffer + skippedByDriver + unsupported + pending }

        /// Requested timestamps that have not arrived: lost, skipped, or pending.
        public var missing: Int { self[.lostInBuffer] + self[.skippedByDriver] + self[.pending] }
    }

    /// Packets that the kernel accepted.
    public private(set) var sent = 0
    public internal(set) var sched = Columns()
    public internal(set) var software = Columns()
    public internal(set) var hardware = Columns()
    /// Timestamps that matched no send, and duplicates.
    public internal(set) var unknownStamps = 0

    init() {}

    /// True if the counts of each kind add up to the sends.
    public var isBalanced: Bool { sched.sum == sent && software.sum == sent && hardware.sum == sent }

    /// True if, for each kind, the gaps in the ids of the timestamps that arrived are as many as ``Columns/missing``
    /// counts. The two counts share nothing but the ids.
    public var isConfirmedByIdentifiers: Bool {
        sched.sequence.missing == sched.missing && software.sequence.missing == software.missing
            && hardware.sequence.missing == hardware.missing
    }

    /// Records a send that waits for these kinds.
    ///
    /// - Returns: its index among the sends of each kind.
    @inline(__always)
    mutating func recordSend(expecting kinds: TransmitStampKinds) -> StampSequence.Places {
        sent &+= 1
        return StampSequence.Places(
            sched: sched.recordSend(kinds.contains(.sched)), software: software.recordSend(kinds.contains(.software)),
            hardware: hardware.recordSend(kinds.contains(.hardware)))
    }

    /// Records the first timestamp of each of these kinds for one send.
    @inline(__always)
    mutating func recordStamps(_ kinds: TransmitStampKinds, of places: StampSequence.Places) {
        if kinds.contains(.sched) { sched.sequence.recordStamp(ofSend: places.sched) }
        if kinds.contains(.software) { software.sequence.recordStamp(ofSend: places.software) }
        if kinds.contains(.hardware) { hardware.sequence.recordStamp(ofSend: places.hardware) }
    }

    /// Moves one send's timestamps of these kinds from one outcome to another.
    @inline(__always)
    mutating func move(_ kinds: TransmitStampKinds, from: Outcome, to: Outcome) {
        if kinds.contains(.sched) { sched.move(from, to) }
        if kinds.contains(.software) { software.move(from, to) }
        if kinds.contains(.hardware) { hardware.move(from, to) }
    }
}
