/// How many sends' stamps ended how, for each kind.
public struct TransmitAccount: Hashable, Sendable {
    /// What became of one kind of stamp of one send.
    public enum Outcome: Int, CaseIterable, Sendable {
        /// Came in time.
        case stamped
        /// Came after the send had been written off.
        case late
        /// Never came, and the socket's buffer was found full.
        case lostInBuffer
        /// Never came, and there was room: the driver or the card took none.
        case skippedByDriver
        /// Not asked for, since the interface does not offer it.
        case unsupported
        /// May still come.
        case pending
    }

    /// One kind's counts. Each send is in exactly one of them.
    public struct Columns: Hashable, Sendable {
        private var counts = SIMD8<Int>()

        public subscript(outcome: Outcome) -> Int {
            get { counts[outcome.rawValue] }
            set { counts[outcome.rawValue] = newValue }
        }

        public var sum: Int { counts.wrappedSum() }
    }

    /// Packets that the kernel took.
    public private(set) var sent = 0
    public private(set) var sched = Columns()
    public private(set) var software = Columns()
    public private(set) var hardware = Columns()
    /// Stamps that belonged to no send, or came twice.
    public internal(set) var unknownStamps = 0
    private let expected: TransmitStampKinds

    init(expected: TransmitStampKinds) { self.expected = expected }

    /// Whether each kind's counts add up to the sends.
    public var isBalanced: Bool { sched.sum == sent && software.sum == sent && hardware.sum == sent }

    mutating func enterSend() {
        sent += 1
        sched[expected.contains(.sched) ? .pending : .unsupported] += 1
        software[expected.contains(.software) ? .pending : .unsupported] += 1
        hardware[expected.contains(.hardware) ? .pending : .unsupported] += 1
    }

    /// Moves one send's stamps of these kinds from one column to another.
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
